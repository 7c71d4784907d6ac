"""Studies by name, their settings, and the catalogue."""

import subprocess
import sys

import pytest
from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import ConfigError
from ethogram.studies import Claim, Paper, Study, load, names
from ethogram.studies.catalog import atlas, catalog, own, phrase, results, state
from ethogram.studies.registry import HERE

KINDS = {"coded", "learned", "prompted", "recorded", "human"}


class Memory(BaseModel):
    model_config = ConfigDict(extra="forbid")
    decay: float = Field(0.99, gt=0, le=1)


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    agents: int = Field(3, ge=1)
    memory: Memory = Memory()


STUDY = Study("toy", "toy", Paper("Toy"), "coded", Config, {"smoke": Config(agents=2), "laptop": Config()}, None, ())


def test_the_catalogue_is_complete():
    systems = catalog()
    assert len(systems) == 78
    counts = {f: sum(s.family == f for s in systems) for f in ("society", "people", "imitation", "dreams")}
    assert counts == {"society": 20, "people": 22, "imitation": 20, "dreams": 16}
    assert len({s.slug for s in systems}) == 78
    assert len({s.title for s in systems}) == 78
    for s in systems:
        assert set(s.world) | set(s.policy) <= KINDS and s.about and s.slug == s.slug.lower()


def test_every_study_is_in_the_catalogue_under_its_family():
    systems = {s.slug: s for s in (*catalog(), *own())}
    assert len(systems) == len(catalog()) + len(own())
    for slug in names():
        assert slug in systems, f"the study {slug} is not in the catalogue"
        study = load(slug)
        assert study.module == f"ethogram.studies.{systems[slug].family}.{slug.replace('-', '_')}"
        assert {"smoke", "laptop", "paper"} <= set(study.presets)
        assert study.claims and study.about
        for preset in study.presets:
            assert study.configure(preset) == study.presets[preset]


def test_every_result_file_belongs_to_a_study_and_its_claims():
    for folder in (HERE / "results").glob("*/"):
        study = load(folder.name)
        for result in results(folder.name):
            assert set(result["verdicts"]) == {claim.name for claim in study.claims}, "run `ethogram claims` again"
            assert result["preset"] in study.presets


def test_names_are_found_without_importing_the_studies():
    code = (
        "import sys; from ethogram.studies import names; names(); "
        "print([m for m in sys.modules if m.count('.') == 3 and m.startswith('ethogram.studies.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_atlas_of_a_family():
    assert {s["family"] for s in atlas("people")} == {"people"}
    assert all(s["state"] for s in atlas())
    with pytest.raises(ConfigError, match="no family"):
        atlas("animals")


def test_states_are_derived():
    verdicts = [{"outcome": o} for o in ("holds", "holds", "does not hold", "not tested")]
    result = {"preset": "laptop", "model": "smollm2", "verdicts": dict(enumerate(verdicts))}
    assert phrase(result) == "laptop, smollm2: 2 hold, 1 does not, 1 not tested"
    assert phrase({"preset": "smoke", "model": "", "verdicts": {}}) == "smoke: no claims"
    assert state("no-such-system", []) == "not yet"
    assert state("no-such-system", ["no-such-system"]) == "written, not tested"


def test_settings_can_be_changed():
    config = STUDY.configure("smoke", {"memory.decay": 0.5})
    assert config.agents == 2 and config.memory.decay == 0.5
    assert STUDY.presets["smoke"].memory.decay == 0.99


@pytest.mark.parametrize(
    ("preset", "changes", "said"),
    [
        ("smoky", {}, "did you mean 'smoke'"),
        ("smoke", {"agent": 1}, "did you mean 'agents'"),
        ("smoke", {"memory.decoy": 1}, "did you mean 'memory.decay'"),
        ("smoke", {"memory": 1}, "memory = 1 is wrong"),
        ("smoke", {"agents": 0}, "agents = 0 is wrong: .*greater"),
        ("smoke", {"agents": "few"}, "agents = 'few'"),
        ("smoke", {"memory.decay": 2}, "memory.decay = 2"),
        ("smoke", {"": 2}, "no setting ''"),
    ],
)
def test_wrong_settings(preset, changes, said):
    with pytest.raises(ConfigError, match=said):
        STUDY.configure(preset, changes)


PARTS = {
    "paper": "paper = Paper('Mine')",
    "cell": "cell = 'coded world, coded policies'",
    "Config": "class Config(BaseModel):\n    model_config = ConfigDict(extra='forbid')",
    "presets": "presets = {'smoke': Config()}",
    "run": "def run(config, lab): return Findings()",
    "claims": "claims = ()",
}
HEAD = "from pydantic import BaseModel, ConfigDict\nfrom ethogram.studies import *\n"


def test_a_study_file(tmp_path):
    path = tmp_path / "my_own.py"
    path.write_text('"""About it.\n\nMore."""\n' + HEAD + "\n".join(PARTS.values()))
    study = load(str(path))
    assert study.slug == "my-own" and study.about == "About it." and study.module == str(path)
    assert load(str(path)).run is study.run


@pytest.mark.parametrize("missing", PARTS)
def test_a_study_file_that_lacks_a_part(tmp_path, missing):
    path = tmp_path / f"lacks_{missing}.py"
    parts = {**PARTS, missing: ""}
    if missing == "Config":
        parts["presets"] = "presets = {}"
    path.write_text(HEAD + "\n".join(parts.values()))
    with pytest.raises(ConfigError, match=f"must define {missing}"):
        load(str(path))


def test_a_study_must_refuse_unknown_settings(tmp_path):
    path = tmp_path / "lax.py"
    path.write_text(HEAD + "\n".join({**PARTS, "Config": "class Config(BaseModel): pass"}.values()))
    with pytest.raises(ConfigError, match="extra='forbid'"):
        load(str(path))


def test_two_claims_of_one_name(tmp_path):
    path = tmp_path / "twice.py"
    claims = "claims = (Claim('a', 'A.', None, None), Claim('a', 'B.', None, None))"
    path.write_text(HEAD + "\n".join({**PARTS, "claims": claims}.values()))
    with pytest.raises(ConfigError, match="two claims of one name"):
        load(str(path))
    assert Claim("a", "A.", None, lambda f: None).paper is None
