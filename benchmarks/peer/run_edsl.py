"""EDSL: one free-text question to N agents, locally, without its cache. A survey: no world, no memory, no time."""

import os
import tempfile

from common import BASE, N, Timed

os.environ.update(EDSL_RUN_MODE="production", OPENAI_COMPATIBLE_BASE_URL=BASE, OPENAI_COMPATIBLE_API_KEY="none")
os.chdir(tempfile.mkdtemp(prefix="edsl-"))

from edsl import (  # noqa: E402 - it reads its settings when it is imported
    Agent,
    AgentList,
    Cache,
    Model,
    QuestionFreeText,
)

model = Model("instant", service_name="openai_compatible", rpm=10**7, tpm=10**10)
question = QuestionFreeText(question_name="q", question_text="What do you do next?")


def ask(n):
    agents = AgentList([Agent(name=f"a{i}", traits={"age": 20 + i % 50, "job": "baker", "id": i}) for i in range(n)])
    return (
        question.by(agents)
        .by(model)
        .run(
            cache=Cache(),
            progress_bar=False,
            disable_remote_inference=True,
            disable_remote_cache=True,
            verbose=False,
            print_exceptions=False,
            stop_on_exception=False,
        )
    )


assert all("bread" in str(answer) for answer in ask(3).select("answer.q").to_list())
with Timed(N):
    ask(N)
