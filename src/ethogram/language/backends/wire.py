"""Connections to an endpoint: one set of them in each event loop, closed with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

from ethogram.errors import ModelError
from ethogram.language.flow import Gate

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Link", "check_address", "connected", "is_local"]


@dataclass
class Link:
    """An endpoint's connections in one event loop."""

    session: aiohttp.ClientSession
    keeper: Any
    gate: Gate
    url: Any
    proxy: str | None


_gates: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Gate]] = WeakKeyDictionary()


async def connected(base: str, path: str, key: str, timeout: float, in_flight: int) -> Link:
    """A link to `base` + `path`, which is closed with the event loop at the latest. All links to a base share a gate."""
    import aiohttp
    from yarl import URL

    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=timeout),
    )
    # An event loop closes the asynchronous generators begun in it, when it ends: nobody else knows when that is.
    keeper = _keeping(session)
    await anext(keeper)
    gates = _gates.setdefault(asyncio.get_running_loop(), {})
    gate = gates.setdefault(base, Gate(_sockets(in_flight)))
    gate.most = min(gate.most, in_flight)
    return Link(session, keeper, gate, URL(base + path), _proxy(base))


async def _keeping(session: aiohttp.ClientSession) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await session.close()


def _sockets(wanted: int) -> int:
    """How many connections the process may have, up to `wanted`; asks the system for as many."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = wanted + 256
    if soft != resource.RLIM_INFINITY and soft < need:
        soft = need if hard == resource.RLIM_INFINITY else min(need, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        except (ValueError, OSError):
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return max(1, min(wanted, soft - 256))
    return wanted


def _proxy(base: str) -> str | None:
    """The proxy that the environment names for an address."""
    parts = urlsplit(base)
    if is_local(base) or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def check_address(base: str, where: str) -> None:
    """See that an address can be one of an endpoint, and holds no secret.

    Raises:
        ModelError: it is not, or does. `where` says where it was given.
    """
    try:
        parts = urlsplit(base)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise ModelError(f"the address in {where} cannot be read: give one like http://127.0.0.1:8000/v1") from None
    if not fine:
        raise ModelError(f"the address in {where} is not one of an endpoint: give one like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise ModelError(
            f"the address in {where} has a user, a password or a query, which would get into records: put the key into the "
            "environment variable ETHOGRAM_API_KEY"
        )


def is_local(base: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(base).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
