"""The crew: how policies that await and policies that do not are asked together."""

import asyncio

import pytest

from ethogram.errors import CallFailed
from ethogram.policy import Fault, Policy
from ethogram.simulation.crew import Crew


class Says(Policy):
    """Answers at once or later, or fails."""

    def __init__(self, answer, later=False, log=None):
        self.answer, self.later, self.log = answer, later, log

    def act(self, observations, spaces):
        if self.later:
            return self.wait(observations)
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict.fromkeys(observations, self.answer)

    async def wait(self, observations):
        if self.log is not None:
            self.log.append("begun")
            await asyncio.sleep(0)
            self.log.append("done")
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict.fromkeys(observations, self.answer)


def asked(**policies):
    return asyncio.run(Crew(policies, list(policies)).act(dict.fromkeys(policies, 0), {}))


def test_answers_come_together_in_order_and_failed_calls_become_faults():
    found = asked(a=Says(1), b=Says(2, later=True), c=Says(CallFailed("no")), d=Says(CallFailed("nor"), later=True))
    assert list(found.items()) == [("a", 1), ("b", 2), ("c", Fault("no")), ("d", Fault("nor"))]


def test_those_that_await_do_so_at_once():
    log = []
    assert asked(a=Says(1, True, log), b=Says(2), c=Says(3, True, log)) == {"a": 1, "b": 2, "c": 3}
    assert log == ["begun", "begun", "done", "done"]


@pytest.mark.parametrize("later", [False, True])
def test_a_defect_of_one_ends_all_and_leaves_nothing_unawaited(later):
    with pytest.raises(ZeroDivisionError):
        asked(a=Says(1, later=True), b=Says(ZeroDivisionError(), later), c=Says(2, later=True))
