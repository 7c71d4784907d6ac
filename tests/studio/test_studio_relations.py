from collections import Counter

from ethogram.studio.reading import Record
from ethogram.studio.relations import relations_of


def test_relations_are_those_of_all_rows_up_to_the_moment(root, monkeypatch):
    monkeypatch.setattr("ethogram.studio.relations.CHUNK", 7)
    record = Record(root / "evil")
    index = relations_of(record)
    assert not index.complete and relations_of(record) is index
    index.extend()
    assert index.complete
    agent, seen = record.agents[0], set()
    for end in (0, 30, len(record.steps)):
        told: Counter[tuple[str, str]] = Counter(
            (row.agent, row.done["to"]) for row in record.read(range(end)) if row.done and row.done.get("to")
        )
        others = {a for pair in told for a in pair if agent in pair} - {agent}
        expected = {other: (told[agent, other], told[other, agent]) for other in others}
        assert index.of(agent, end) == expected
        seen.add(sum(map(sum, expected.values())))
    assert len(seen) > 1
