"""What `models` does: find the language models that can be used here, and probe them."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from ethogram.aio import run_coroutine
from ethogram.cli.show import console, plain, print_json
from ethogram.errors import EthogramError

__all__ = ["list_models"]

PORTS = {8000: "vLLM", 8080: "llama.cpp", 11434: "Ollama", 1234: "LM Studio"}
"""Where servers of OpenAI's protocol listen on this machine by default."""
MOST = 8
"""Most models listed of one endpoint."""
SECONDS = 2.0


class Found(NamedTuple):
    """A model, or why there is none at a place."""

    spelling: str
    place: str
    usable: bool
    facts: str
    """What the probe showed, or what is wrong."""


def list_models(probe: bool, as_json: bool) -> None:
    """`ethogram models`."""
    found = [*embedded(probe), *account(), *servers(probe)]
    if as_json:
        print_json([model._asdict() for model in found])
        return
    out = console()
    for model in found:
        mark = "[green]usable[/green] " if model.usable else "[red]trouble[/red]"
        out.print(mark, end=" ")
        out.print(f"{model.spelling:<34} {model.place}", markup=False, soft_wrap=True)
        if model.facts:
            out.print(f"        {plain(model.facts)}", markup=False, soft_wrap=True, style="dim")
    out.print(
        "\nAny of these, or another URL#NAME, gguf:FILE or tuned:FOLDER, can be given to `ethogram run SLUG --model …`.",
        style="dim",
    )


def embedded(probe: bool) -> list[Found]:
    """The model that comes with ethogram."""
    return [probed("smollm2", "embedded, offline", probe)]


def account() -> list[Found]:
    """What the endpoint of the environment offers. It is not probed, as that may cost money."""
    key, base = os.environ.get("OPENAI_API_KEY", ""), os.environ.get("OPENAI_BASE_URL", "")
    if not key and not base:
        return []
    place = base or "https://api.openai.com/v1"
    try:
        names = offered(place, key)
    except OSError as error:
        return [Found("openai:NAME", place, False, f"its models cannot be listed: {error}")]
    return limited([Found(f"openai:{name}", place, True, "") for name in names], place)


def servers(probe: bool) -> list[Found]:
    """What servers on this machine offer; those that are asked to answer are probed."""
    found = []
    for port, kind in PORTS.items():
        base = f"http://127.0.0.1:{port}/v1"
        try:
            names = offered(base)
        except OSError:
            continue
        here = [probed(f"{base}#{name}", f"server on this machine ({kind}?)", probe) for name in names[:MOST]]
        found += limited(here, base, len(names))
    return found


def limited(found: list[Found], place: str, total: int | None = None) -> list[Found]:
    """Not more models of one place than a reader wants to see, with a word on the others."""
    more = (len(found) if total is None else total) - MOST
    if more <= 0:
        return found
    return [*found[: MOST - 1], found[MOST - 1]._replace(facts=f"and {more} more at {place}")]


class Nowhere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a key goes to the address it was given for, and nowhere else."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        """None, so that the redirect becomes an error."""


def offered(base: str, key: str = "") -> list[str]:
    """The names of the models that an endpoint lists; OSError where it lists none."""
    handlers: list[Any] = [Nowhere()]
    if base.startswith("http://127.0.0.1"):
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{base.rstrip('/')}/models")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=SECONDS) as response:
            data = json.loads(response.read(2_000_000))
        return sorted(str(model["id"]) for model in data["data"])
    except urllib.error.HTTPError as error:
        raise OSError(f"http {error.code}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise OSError("the answer is not a list of models") from error


def probed(spelling: str, place: str, probe: bool) -> Found:
    """A model with what a real call of it showed."""
    from ethogram.language import model

    async def call() -> Any:
        async with model(spelling) as made:
            return await made.probe()

    try:
        if not probe:
            model(spelling)
            return Found(spelling, place, True, "")
        shown = run_coroutine(call())
    except EthogramError as error:
        return Found(spelling, place, False, str(error))
    rate = f", {shown.tokens_per_second:.0f} tokens a second" if shown.tokens_per_second else ""
    return Found(spelling, place, True, f"answers in {shown.seconds:.2f} s{rate}; scores options: {shown.score}")
