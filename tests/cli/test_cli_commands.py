"""The commands as a user calls them."""

import json
import signal
import time


def test_run_says_what_it_found(finished, study_file):
    done = finished("run", study_file, "--preset", "smoke")
    assert "Rumours Go Round" in done.stdout
    assert "People who know at the end" in done.stdout and "52 %" in done.stdout
    assert "does not hold" in done.stdout and "not tested" in done.stdout
    assert "runs/rumour/smoke-coded-0/report.html" in done.stdout
    assert (finished.folder / "runs/rumour/smoke-coded-0/report.html").stat().st_size > 5000


def test_run_with_json_prints_json_only(cli, study_file):
    done = cli("run", study_file, "--preset", "smoke", "--set", "people=4", "--json")
    data = json.loads(done.stdout)
    assert data["record"]["config"]["people"] == 4 and data["record"]["changes"] == {"people": 4}
    assert data["record"]["status"] == "complete" and data["usage"]["calls"] == 0
    assert data["verdicts"]["louder-spreads"]["outcome"] in ("holds", "does not hold")
    assert {m["name"] for m in data["findings"]["measured"]} == {"known", "effect", "density"}
    assert data["folder"] != "runs/rumour/smoke-coded-0"  # changed settings do not take the preset's place


def test_the_same_seed_gives_the_same_findings(cli, study_file):
    def measured(*words):
        return json.loads(cli("run", study_file, "--preset", "smoke", "--json", *words).stdout)["findings"]["measured"]

    first = measured("--to", "a")
    assert measured("--to", "b", "--set", "processes=2") == first
    assert measured("--to", "c", "--seed", "1") != first


def test_resume_of_a_complete_study_computes_nothing(finished, run_names, study_file):
    manifests = [finished.folder / "done/runs" / name / "manifest.json" for name in run_names]
    before = [path.read_bytes() for path in manifests]
    finished(
        "run", __file__.replace("test_cli_commands", "rumour"), "--preset", "smoke", "--seed", 3, "--to", "done", "--resume"
    )
    assert [path.read_bytes() for path in manifests] == before


def test_atlas_lists_all_systems(cli):
    from ethogram.studies.catalog import catalog, own

    systems = json.loads(cli("atlas", "--json").stdout)
    assert len(systems) == len(catalog()) + len(own()) and len(catalog()) == 78
    text = cli("atlas", "--family", "dreams").stdout
    assert "dino-wm" in text and "learned × coded" in text and "16 systems" in text
    assert "generative-agents" not in text


def test_atlas_of_one_system_shows_what_decided_each_claim(cli):
    text = " ".join(cli("atlas", "generative-agents").stdout.split())
    (result,) = json.loads(cli("atlas", "generative-agents", "--json").stdout)["results"]
    for verdict in result["verdicts"].values():
        assert verdict["statement"] in text and verdict["outcome"] in text and verdict["reason"].split(";")[0] in text
    first = result["measured"][0]["estimate"]
    assert f"{100 * first['low']:.3g} to {100 * first['high']:.3g} %" in text and f"{result['date']}, seed 0" in text
    assert "not yet" in cli("atlas", "dino-wm").stdout
    assert "did you mean 'dino-wm'" in cli.refuses("atlas", "dino")


def test_report_of_a_study_and_of_a_run(finished, run_names):
    path = finished("report", "done").stdout.strip()
    assert path == "done/report.html"
    finished("report", f"done/runs/{run_names[0]}", "--to", "single.html")
    page = (finished.folder / "single.html").read_text()
    assert "A run in the world “circle”" in page and "<svg" in page


def test_replay_finds_a_run_the_same(finished, run_names):
    done = finished("replay", "done", "--json")
    found = json.loads(done.stdout)
    assert sorted(found) == run_names
    assert all(r["same"] and r["agent_steps"] == 30 for r in found.values())
    one = finished("replay", f"done/runs/{run_names[0]}").stdout
    assert "the same" in one


def test_replay_names_what_changed(cli, study_file, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(study_file.read_text())
    cli("run", mine, "--preset", "smoke", "--to", "out")
    mine.write_text(study_file.read_text().replace('"Nothing new."', '"Nothing at all."'))
    done = cli("replay", "out", status=1)
    assert "differs" in done.stdout and "action" in done.stdout and "step 0" in done.stdout


def test_branch_differs_from_where_it_forks(finished, run_names):
    where = ["done", "--run", run_names[0], "--at", 3]
    plain = json.loads(finished("branch", *where, "--to", "as-it-was", "--json").stdout)
    assert plain["first_difference"] is None and plain["steps"] == 6
    words = finished("branch", *where, "--intervene", "silence person=Ana", "--to", "silenced").stdout
    assert "differs    first at step" in words
    facts = json.loads(finished("branch", *where, "--intervene", "silence person=Ana", "--to", "again", "--json").stdout)
    assert facts["first_difference"]["step"] >= 3
    manifest = json.loads((finished.folder / "again/manifest.json").read_text())
    assert manifest["interventions"][0]["arguments"] == {"person": "Ana"} and manifest["parent"]["at"] == 3


def test_branch_names_its_folder(finished, run_names):
    first = json.loads(finished("branch", "done", "--run", run_names[1], "--at", 2, "--json").stdout)["branch"]
    second = json.loads(finished("branch", "done", "--run", run_names[1], "--at", 2, "--json").stdout)["branch"]
    assert first.endswith("-branch-2") and second.endswith("-branch-2-2")


def test_interview(finished, run_names):
    words = ["interview", "done", "--run", run_names[0], "--agent", "Ben", "Who are you?"]
    assert "Ben: I am Ben. You ask: Who are you?" in finished(*words).stdout
    answers = json.loads(finished(*words, "And now?", "--step", 2, "--json").stdout)["answers"]
    assert [a["question"] for a in answers] == ["Who are you?", "And now?"]


def test_claims_writes_result_files(cli, study_file):
    cli("claims", study_file, "--preset", "smoke", "--to", "results")
    result = json.loads((cli.folder / "results/rumour/smoke--coded.json").read_text())
    assert result["seed"] == 0 and result["verdicts"]["believed"]["outcome"] == "not tested"
    assert result["versions"]["ethogram"] and result["config"]["seeds"] == 2
    again = cli("claims", study_file, "--preset", "smoke", "--to", "results")
    assert "smoke--coded.json" in again.stdout


def interrupted(cli, words):
    """Start a command, send it an interrupt once a checkpoint is written, and check how it ends."""
    process = cli.start(*words)
    deadline = time.monotonic() + 60
    while not list(cli.folder.glob("out/runs/*/*/steps/*.parquet")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said
    assert said.strip().startswith("ethogram: interrupted; go on with: ethogram run") and said.strip().endswith("--resume")
    assert json.loads((cli.folder / "out/study.json").read_text())["status"] == "interrupted"


def test_interrupted_and_resumed(cli, study_file):
    shape = ["--set", "steps=300", "--set", "seeds=2"]
    words = ["run", study_file, "--preset", "smoke", *shape, "--to", "out"]
    interrupted(cli, words)
    resumed = json.loads(cli(*words, "--resume", "--json").stdout)
    assert resumed["record"]["status"] == "complete"
    whole = json.loads(cli("run", study_file, "--preset", "smoke", *shape, "--to", "whole", "--json").stdout)
    assert resumed["findings"]["measured"] == whole["findings"]["measured"]


def test_interrupted_on_two_processes(cli, study_file):
    shape = ["--set", "steps=2000", "--set", "seeds=2", "--set", "processes=2"]
    interrupted(cli, ["run", study_file, "--preset", "smoke", *shape, "--to", "out"])
    manifests = {path: path.read_text() for path in cli.folder.glob("out/runs/**/manifest.json")}
    time.sleep(0.5)
    assert manifests == {path: path.read_text() for path in manifests}, "a worker lives on"


def test_version_and_help(cli):
    from ethogram import __version__

    assert cli("--version").stdout.strip() == f"ethogram {__version__}"
    text = cli("--help").stdout
    for command in ("run", "atlas", "claims", "report", "replay", "branch", "interview", "models", "doctor"):
        assert f" {command} " in text


def test_a_reader_that_stops_is_no_trouble(cli):
    import subprocess

    words = " ".join(f"'{w}'" for w in [*cli.command, "atlas", "--json"])
    done = subprocess.run(f"{words} | head -1", shell=True, cwd=cli.folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[" and done.stderr == ""
