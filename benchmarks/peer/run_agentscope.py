"""AgentScope: N agents without tools reply to one message each, gathered."""

import asyncio
import logging

from agentscope.agent import Agent
from agentscope.credential import OpenAICredential
from agentscope.message import Msg, TextBlock
from agentscope.model import OpenAIChatModel
from common import BASE, N, Timed

logging.disable(logging.CRITICAL)


async def main() -> None:
    model = OpenAIChatModel(credential=OpenAICredential(api_key="none", base_url=BASE), model="instant", stream=False)
    agents = [Agent(name=f"a{i}", system_prompt="You are a baker in a small town.", model=model) for i in range(N)]
    question = "What do you do next?"

    async def ask(agent: Agent) -> Msg:
        return await agent.reply(Msg(name="world", role="user", content=[TextBlock(type="text", text=question)]))

    first = await ask(Agent(name="first", system_prompt="You are a baker.", model=model))
    assert "bread" in str(first), first
    with Timed(N):
        await asyncio.gather(*map(ask, agents))


asyncio.run(main())
