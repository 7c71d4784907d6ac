import json
import os

import pytest

from ethogram.studies import Lab


def square(item, lab):
    with open(lab.dir / "asked.txt", "a") as file:
        file.write(f"{item['x']} {os.getpid()}\n")
    if item["x"] < 0:
        raise ValueError("negative")
    return {"square": item["x"] ** 2}


def asked(lab):
    return [int(line.split()[0]) for line in (lab.dir / "asked.txt").read_text().splitlines()]


@pytest.mark.parametrize("processes", [1, 2])
def test_parts_are_computed_once_each_and_come_in_order(tmp_path, processes):
    lab = Lab(tmp_path, progress=False)
    items = [{"x": x} for x in (3, 1, 2)]
    assert lab.parts(square, items, processes) == [{"square": 9}, {"square": 1}, {"square": 4}]
    assert lab.parts(square, [{"x": 2}, {"x": 5}], processes) == [{"square": 4}, {"square": 25}]
    assert sorted(asked(lab)) == [1, 2, 3, 5]


def test_parts_go_on_after_a_failure_with_what_is_kept(tmp_path):
    lab = Lab(tmp_path, progress=False)
    with pytest.raises(ValueError, match="negative"):
        lab.parts(square, [{"x": 3}, {"x": -1}, {"x": 4}])
    kept = [json.loads(path.read_text()) for path in (tmp_path / "parts").iterdir()]
    assert kept == [{"part": "square", "item": {"x": 3}, "result": {"square": 9}}]
    assert lab.parts(square, [{"x": 3}, {"x": 4}]) == [{"square": 9}, {"square": 16}]
    assert asked(lab) == [3, -1, 4]


def test_what_is_made_is_made_once_and_only_shown_whole(tmp_path):
    lab = Lab(tmp_path, progress=False)
    seen = []

    def make(folder):
        seen.append(sorted(p.name for p in folder.iterdir()))
        (folder / "half").write_text("1")
        if len(seen) == 1:
            raise KeyboardInterrupt
        (folder / "whole").write_text("2")

    with pytest.raises(KeyboardInterrupt):
        lab.made("data/a", make)
    assert not (tmp_path / "made" / "data" / "a").exists()
    path = lab.made("data/a", make)
    assert lab.made("data/a", make) == path and sorted(p.name for p in path.iterdir()) == ["half", "whole"]
    assert seen == [[], ["half"]]
