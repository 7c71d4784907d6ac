"""Studies that a language model plays, at a real server: cost, budgets, and servers that are not there."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[1] / "language" / "server.py"


class Server:
    def __init__(self, *words: str) -> None:
        command = [sys.executable, str(SERVER), "--port", "0", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])
        self.spec = f"http://127.0.0.1:{self.port}/v1#mock"

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


def test_a_model_at_an_endpoint_plays(cli, study_file, server):
    words = ["run", study_file, "--preset", "smoke", "--model", server.spec, "--to", "out"]
    said = cli(*words).stdout
    assert "60 model calls" in said and "nothing paid" in said  # two runs of five people and six steps
    page = (cli.folder / "out/report.html").read_text()
    assert "60 model calls" in page and "One call of each purpose" in page and "in 2 runs of 4" in page
    before = json.loads(json.dumps((cli.folder / "out/findings.json").read_text()))
    found = json.loads(cli("replay", "out", "--json").stdout)
    assert all(r["same"] for r in found.values()) and sum(r["calls"] for r in found.values()) == 60
    name = next(n for n in found if n.startswith("loud"))
    branch = json.loads(cli("branch", "out", "--run", name, "--at", 4, "--to", "fork", "--json").stdout)
    assert branch["calls"] == branch["answered"] == 30 and branch["first_difference"] is None
    cli(*words, "--resume")
    assert (cli.folder / "out/findings.json").read_text() == before


def test_the_folder_is_named_after_the_model(cli, study_file, server):
    cli("run", study_file, "--preset", "smoke", "--model", server.spec, "--seed", 2, "--set", "steps=1")
    assert [p.name[:13] for p in (cli.folder / "runs/rumour").iterdir()] == ["smoke-mock-2-"]


@pytest.mark.parametrize("budget", [["--budget-calls", 12], ["--budget-tokens", 900]])
def test_a_budget_ends_it_cleanly_with_what_there_is(cli, study_file, server, budget):
    words = ["run", study_file, "--preset", "smoke", "--model", server.spec, "--to", "out"]
    done = cli(*words, *budget, "--json")
    data = json.loads(done.stdout)
    assert data["record"]["status"] == "stopped" and "budget" in data["record"]["reason"]
    assert 0 < data["usage"]["calls"] <= 12
    page = (cli.folder / "out/report.html").read_text()
    assert "is not complete" in page and "stopped" in page
    cli(*words, "--resume")
    assert json.loads((cli.folder / "out/study.json").read_text())["status"] == "complete"


def test_an_endpoint_that_is_down(cli, study_file):
    words = ["run", study_file, "--preset", "smoke", "--model", "http://127.0.0.1:9/v1#mock"]
    assert "nothing answers at http://127.0.0.1:9/v1" in cli.refuses(*words)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("smolm2", "there is no model 'smolm2'"),
        ("gguf:/no/such/file.gguf", "cannot be read"),
        ("http://127.0.0.1:9/v1", "needs the name of a model"),
        ("openai:gpt-9", "OPENAI_API_KEY"),
    ],
)
def test_unusable_models(cli, study_file, spec, said, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert said in cli.refuses("run", study_file, "--preset", "smoke", "--model", spec)


def test_a_file_that_is_no_model(cli, study_file):
    (cli.folder / "photo.gguf").write_bytes(b"\x89PNG" * 1000)
    assert "photo.gguf" in cli.refuses("run", study_file, "--preset", "smoke", "--model", "gguf:photo.gguf")


def test_a_study_without_models_takes_none(cli, study_file):
    text = study_file.read_text().replace('surrogates = ("coded",)\nmodel = "coded"\n', "").replace("lab.model", '"coded"')
    (cli.folder / "plain.py").write_text(text)
    assert "uses no language model" in cli.refuses("run", "plain.py", "--preset", "smoke", "--model", "smollm2")
    cli("run", "plain.py", "--preset", "smoke")
    assert (cli.folder / "runs/plain/smoke-0/report.html").exists()


def test_interrupted_while_calls_are_in_flight(cli, study_file):
    slow = Server("--latency-ms", "300")
    try:
        words = ["run", study_file, "--preset", "smoke", "--model", slow.spec, "--to", "out"]
        process = cli.start(*words)
        deadline = time.monotonic() + 60
        while not list(cli.folder.glob("out/runs/loud/*/manifest.json")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130 and "--resume" in said and "Traceback" not in said
        cli(*words, "--resume")
    finally:
        slow.stop()
    assert json.loads((cli.folder / "out/study.json").read_text())["status"] == "complete"


def test_models_lists_an_account_s_models(cli, server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    found = {m["spelling"]: m for m in json.loads(cli("models", "--no-probe", "--json").stdout)}
    assert found["openai:mock"]["usable"] and found["smollm2"]["usable"]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    text = cli("models", "--no-probe").stdout
    assert "cannot be listed" in text and "sk-secret" not in text


@pytest.mark.lm
def test_models_probes_the_embedded_model(cli):
    found = json.loads(cli("models", "--json").stdout)[0]
    assert found["spelling"] == "smollm2" and found["usable"] and "scores options: exact" in found["facts"]


def test_doctor_finds_this_machine_well(cli):
    checks = {c["name"]: c for c in json.loads(cli("doctor", "--json").stdout)}
    assert set(checks) == {"python", "packages", "cores", "memory", "folder", "model"}
    assert "xllamacpp" in checks["packages"]["found"]
    assert "ok" in cli("doctor").stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_doctor_says_what_to_do(cli):
    cli.folder.chmod(0o500)
    try:
        done = cli("doctor", status=1)
    finally:
        cli.folder.chmod(0o700)
    assert "trouble" in done.stdout and "give --to" in done.stdout
