"""What keeps the studio safe: who may talk to it, which folders it opens, and text that stays text."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from markupsafe import Markup

from ethogram.errors import ConfigError, RunError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["COOKIE", "POLICY", "Guard", "Root", "html", "is_loopback"]

COOKIE = "ethogram-studio"
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data: blob:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""What pages may load: nothing from anywhere but the studio itself. (Vue compiles templates, hence `unsafe-eval`.)"""
_NAMES = ("localhost", "127.0.0.1", "::1")


def html(text: str, *values: object, **named: object) -> Markup:
    """HTML from a template of ours, into which values go as text: whatever an agent wrote cannot become markup."""
    return Markup(text).format(*values, **named)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """ASGI middleware that lets in whom it should, and tells browsers to load nothing from elsewhere.

    A request must come from a page of the studio itself (its `Origin`, where it has one, is the host it is sent to), so
    that no other site in the same browser can talk to it; on loopback the host must be this machine's own name, so that
    no foreign name can be bent to it. Where there is a token, it is given once in the address and then kept in a cookie.

    Args:
        app: what is guarded.
        token: what a visitor must know; empty: nothing.
        local: whether the server is bound to loopback.
    """

    def __init__(self, app: ASGIApp, token: str = "", local: bool = True) -> None:
        self.app, self.token, self.local = app, token, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, refuse, or (a token given in the address) answer with a cookie."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token", "")
        if (reason := self.refusal(headers)) is not None:
            await _refuse(scope, send, 403, reason)
        elif self.token and scope["type"] == "http" and given and self._right(given):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            await self._welcome(scope, send, rest)
        elif self.token and not self._right(_cookie(headers.get("cookie", ""))):
            await _refuse(scope, send, 401, "this studio wants a token: open the address that it printed when it began")
        else:
            await self.app(scope, receive, _with_policy(send))

    def refusal(self, headers: dict[str, str]) -> str | None:
        """Why a request with these headers is refused, or None."""
        host = headers.get("host", "")
        if self.local and (urlsplit(f"//{host}").hostname or "") not in _NAMES:
            return f"the studio is bound to this machine and does not answer to the name {host[:80]!r}"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return f"a page of {origin[:80]!r} may not talk to the studio"
        return None

    def _right(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.token.encode())

    async def _welcome(self, scope: Scope, send: Send, query: str) -> None:
        """Keep the token in a cookie, and take it out of the address."""
        place = scope["path"] + (f"?{query}" if query else "")
        cookie = f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        head = [(b"location", place.encode("latin-1", "ignore")), (b"set-cookie", cookie.encode())]
        await send({"type": "http.response.start", "status": 303, "headers": head})
        await send({"type": "http.response.body", "body": b""})


def _cookie(header: str) -> str:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def _with_policy(send: Send) -> Send:
    """`send` that adds the headers by which browsers hold pages to what they may do."""

    async def sending(message: dict) -> None:  # type: ignore[type-arg]
        if message["type"] == "http.response.start":
            more = [
                (b"content-security-policy", POLICY.encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"referrer-policy", b"no-referrer"),
            ]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return sending  # type: ignore[return-value]


async def _refuse(scope: Scope, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason[:100]})
        return
    head = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})


class Root:
    """The folder whose runs the studio shows; nothing outside of it is opened.

    Args:
        folder: the root; None: the deepest folder that holds all of `given`, or `runs` (else the current folder).
        given: folders to show; none: all below the root.

    Raises:
        ConfigError: a folder is not there, or lies outside of the root.
    """

    def __init__(self, folder: Path | None, given: Sequence[Path] = ()) -> None:
        if missing := [p for p in given if not p.is_dir()]:
            raise ConfigError(f"there is no folder {missing[0]}: give the folder of a study or run")
        found = [path.resolve() for path in given]
        if folder is None:
            folder = _common(found) if found else Path("runs") if Path("runs").is_dir() else Path(".")
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder}: give --root the folder that holds your runs")
        self.folder = folder.resolve()
        if outside := [p for p in found if not p.is_relative_to(self.folder)]:
            raise ConfigError(f"{outside[0]} lies outside of the root {self.folder}: give another --root")
        self.shown = found or [self.folder]

    def name(self, path: Path) -> str:
        """How a folder is called in addresses: its path below the root."""
        return path.relative_to(self.folder).as_posix()

    def open(self, name: str, file: str = "manifest.json") -> Path:
        """The folder of a name, links followed; RunError where it is outside of what is shown, or holds no `file`."""
        try:
            path = (self.folder / name).resolve()
            inside = path.is_relative_to(self.folder) and any(path.is_relative_to(s) for s in self._opened())
            if inside and (path / file).is_file():
                return path
        except (OSError, ValueError):  # such as a name with a zero byte, or of a length that no file has
            pass
        raise RunError(f"{name[:200]!r} is no run below the folder that this studio shows")

    def _opened(self) -> list[Path]:
        """The folders shown, with those beside them where branches go."""
        return self.shown if self.shown == [self.folder] else [*self.shown, *(b for s in self.shown for b in branches(s))]


def branches(run: Path) -> list[Path]:
    """The branches of a run: folders beside it that are called after it."""
    return sorted(run.parent.glob(f"{run.name}-branch-*"))


def _common(paths: list[Path]) -> Path:
    """The deepest folder above all of `paths`."""
    parents = [set(path.parents) for path in paths]
    return max(set.intersection(*parents), key=lambda p: len(p.parts))
