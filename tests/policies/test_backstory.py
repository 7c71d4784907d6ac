"""Life stories: planted contradictions are found, rejection is recorded and limited, and a run goes on and replays."""

import pytest

from ethogram import simulate
from ethogram.aio import run_coroutine
from ethogram.errors import ConfigError
from ethogram.language import scripted
from ethogram.policies.prompted.backstory import ModelWriter, Storyteller, Told, interview, traits, trimmed
from ethogram.policies.prompted.consistency import PromptedCritic, StatementCritic, clashes, statements
from ethogram.policies.prompted.surrogate_writer import SurrogateWriter, WriterLaw
from ethogram.questionnaires import instrument
from ethogram.scene import Scene
from ethogram.simulation import replay
from ethogram.worlds.coded.survey import Survey

FORM = instrument("life-story")
PEOPLE = {
    f"person {i}": {
        "age": str(20 + i),
        "home": "Ohio",
        "identity": "weak Republican",
        "race": "black",
        "income": "upper third",
    }
    for i in range(40)
}


def found(before, after, year=None):
    return clashes(statements(before, year), statements(after, year))


@pytest.mark.parametrize(
    ("before", "after", "subject"),
    [
        ("I am 46 years old and tired.", "Now that I'm thirty-one, I see it differently.", "age"),
        ("I am 46 years old and tired.", "I'm thirty-one years old.", "age"),
        ("I'm 46, and my back hurts.", "I was born in 1990.", "age"),
        ("I was born in Toledo, Ohio.", "As I said, I was born in Texas.", "birthplace"),
        ("I live in Ohio.", "I now live in New Mexico with my dog.", "home"),
        ("I have two daughters and a son.", "I have two kids.", "children"),
        ("I have no children.", "My son is a mechanic.", "children"),
        ("My wife and I met at school.", "I've never married.", "marriage"),
        ("I was an only child.", "My older sister taught me to read.", "siblings"),
        ("I work as a nurse at the county hospital.", "I work as a mechanic.", "work"),
        ("I'm retired.", "I work as a teacher in town.", "work"),
        ("I never went to college.", "I graduated from college in May.", "college"),
        ("I consider myself a strong Democrat.", "I'm a lifelong Republican.", "politics"),
    ],
)
def test_contradictions_of_facts_are_found(before, after, subject):
    reasons = found(before, after, 2012)
    assert [reason.split(":")[0] for reason in reasons] == [subject]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("I am 46.", "My birthday came: I'm 47 years old."),
        ("I was born in Ohio.", "I grew up in Texas, and I live in Maine."),
        ("I live in Columbus, Ohio.", "I live in Ohio, I like it there."),
        ("I live in Columbus.", "I still live in Ohio. My house is old."),
        ("I have three children.", "My daughter lives near. I have two dogs."),
        ("My late husband was kind.", "I am a widow."),
        ("I am a Democrat.", "In politics I call myself a strong Democrat."),
        ("When I was 12 I was ill. I am 60 miles from town.", "I am 46 years old."),
        ("I worked as a cook then.", "I work as a nurse."),
        ("My husband died in the war.", "I never married again, and I am widowed."),
    ],
)
def test_what_can_be_true_together_is_let_pass(before, after):
    assert found(before, after, 2012) == []


def test_the_surrogate_contradicts_itself_by_its_law_and_the_critic_lowers_that():
    law = WriterLaw(slip=0.25, oblique=0.3)
    writer = SurrogateWriter(PEOPLE, law, seed=4)
    plain = [run_coroutine(interview(agent, writer)) for agent in PEOPLE]
    vetted = [run_coroutine(interview(agent, writer, StatementCritic(), limit=8)) for agent in PEOPLE]
    again = sum(len(writer._told(s.agent, one.item)) for s in plain for one in s.told)
    again -= sum(len(writer.facts[s.agent]) for s in plain)  # what is told first cannot contradict
    slips = [len(writer.contradictions(story)) for story in plain]
    assert sum(slips) / again == pytest.approx(law.slip, abs=0.04)
    left = [len(writer.contradictions(story)) for story in vetted]
    assert sum(left) < 0.45 * sum(slips)  # what is told in other words is not seen
    assert all(reason for story in vetted for one in story.rejected for reason in one.faults)
    seen = SurrogateWriter(PEOPLE, WriterLaw(slip=0.25, oblique=0.0), seed=4)
    clear = [run_coroutine(interview(agent, seen, StatementCritic(), limit=60)) for agent in PEOPLE]
    assert sum(len(seen.contradictions(story)) for story in clear) == 0 and all(story.passed for story in clear)
    honest = SurrogateWriter(PEOPLE, WriterLaw(slip=0.0), seed=4)
    assert not any(run_coroutine(interview(agent, honest, StatementCritic())).rejected for agent in PEOPLE)


def test_when_no_answer_passes_the_least_faulty_one_is_kept_and_says_so():
    answers = iter(["I am 40 years old.", "I am 50. I live in Ohio.", "I'm 60, and yes.", "I am 70, as I say."])

    class Writer:
        async def answer(self, story, item, question, attempt):
            return next(answers) if item in ("origins", "family") else f"So it is with {item}."

    story = run_coroutine(interview("Ann", Writer(), StatementCritic(), limit=3))
    assert story.told[1].attempt == 0 and "age" in story.told[1].faults[0] and not story.passed
    assert [one.attempt for one in story.rejected] == [1, 2] and "I am 40" in story.rejected[0].faults[0]
    assert story.text().startswith("Interviewer: To begin with") and "Me: I am 50. I live in Ohio." in story.text()


def respond(request):
    """The first thing that comes to its mind contradicts what it said; a second thought does not."""
    asked = request.messages[-1]["content"]
    if "school" in asked:
        return "I am 33 years old.\n\nInterviewer: and then?" if request.seed % 2 else "I never went to college."
    return "I am 64 years old." if "begin" in asked else f"I have thought about that: {asked[:20]}"


def test_a_model_tells_a_story_in_a_survey_and_a_replay_has_it_with_what_was_rejected():
    def policy():
        return Storyteller(ModelWriter(scripted(respond), about="A woman of sixty-four."), StatementCritic(), limit=40)

    names = ["Ann", "Bob", "Cem"]
    told = policy()
    run = simulate(Survey(FORM, names), told, seed=3)
    assert all(story.passed and len(story.told) == len(FORM.items) for story in told.stories.values())
    rejected = [one for story in told.stories.values() for one in story.rejected]
    assert rejected and all(one.item == "school" and "33" in one.faults[0] for one in rejected)
    assert "Interviewer" not in rejected[0].answer
    calls = run.calls.collect()
    assert len(calls) == len(names) * len(FORM.items) + len(rejected) and set(calls["purpose"]) == {"story"}
    later = [row for row in calls["messages"].to_list() if len(row) > 6]
    assert later and all("I am 64 years old." in str(row) for row in later)
    again = policy()
    assert replay(run, Scene(Survey(FORM, names), again)).exact and again.stories == told.stories


def test_a_prompted_critic_goes_by_the_likelihood_of_yes_in_both_orders():
    def rate(request):
        text = request.messages[-1]["content"]
        first = text.index("A. yes") if "A. yes" in text else -1
        contradicts = '"I am 20."' in text
        likes = [2.0, 0.0] if contradicts else [-2.0, 0.0]
        return (likes if first >= 0 else likes[::-1])[:1] + (likes if first >= 0 else likes[::-1])[1:]

    story = run_coroutine(interview("Ann", SurrogateWriter({"Ann": {"age": "64"}}, WriterLaw(slip=0.0))))
    critic = PromptedCritic(scripted(rate=rate))
    assert run_coroutine(critic.faults(story, "How old?", "I am 20."))[0].startswith("the critic says with probability 0.88")
    assert run_coroutine(critic.faults(story, "How old?", 'I am "64".')) == []
    assert run_coroutine(critic.faults(story, "How old?", "  ")) == ["it says nothing"]


def test_traits_are_the_likelihoods_of_levels_after_the_transcript():
    story = run_coroutine(interview("Ann", SurrogateWriter({"Ann": {"home": "Ohio"}}, WriterLaw(slip=0.0))))

    def rate(request):
        text = request.messages[-1]["content"]
        assert "I live in Ohio." in text
        return [1.0 if f"{letter}. Ohio" in text else 0.0 for letter in request.options]

    found = run_coroutine(traits(scripted(rate=rate), story, {"home": ("Where do you live?", ["Maine", "Ohio", "Texas"])}))
    e = 2.718281828
    assert found["home"] == pytest.approx([1 / (2 + e), e / (2 + e), 1 / (2 + e)], abs=1e-6)


def test_what_cannot_be_is_said_in_a_sentence():
    assert trimmed("I was born there. And then I wen", cut=True) == "I was born there."
    assert trimmed("<|im_start|>I <b>am</b>") == "‹|im_start|›I ‹b›am‹/b›"
    with pytest.raises(ConfigError, match="limit=0"):
        run_coroutine(interview("Ann", SurrogateWriter({"Ann": {}}), limit=0))
    with pytest.raises(ConfigError, match="open questions"):
        simulate(Survey(instrument("mini-ipip"), 1), Storyteller(SurrogateWriter({"respondent 1": {}})), seed=1, steps=1)
    told = Told(item="a", question="b", answer="c")
    assert told.faults == () and told.attempt == 0
