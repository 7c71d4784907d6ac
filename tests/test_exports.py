"""The names of the package, and what importing it does not load."""

import pkgutil
import subprocess
import sys

import pytest

import ethogram

HEAVY = {"polars", "pyarrow", "duckdb", "matplotlib", "scipy", "networkx", "xllamacpp", "wordllama", "aiohttp", "jinja2"}


def loaded_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_import_is_light():
    loaded = loaded_after("import ethogram")
    assert not loaded & {*HEAVY, "numpy", "gymnasium", "pettingzoo", "pydantic", "typer", "rich"}


def test_help_loads_no_study_and_no_model():
    loaded = loaded_after("from ethogram.cli import dispatch\ndispatch(['--help'])")
    assert not loaded & {*HEAVY, "numpy", "gymnasium", "ethogram.studies", "ethogram.language", "ethogram.simulation"}


@pytest.mark.parametrize("name", ethogram.__all__)
def test_public_names_are_there(name):
    assert getattr(ethogram, name) is not None


def test_public_names_are_not_hidden_by_modules():
    modules = {m.name for m in pkgutil.iter_modules(ethogram.__path__)}
    assert not modules & set(ethogram.__all__)
    assert dir(ethogram) == sorted(ethogram.__all__)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ethogram.nonsense


def test_the_version_is_the_package_s():
    from importlib.metadata import version

    assert ethogram.__version__ == version("ethogram")
