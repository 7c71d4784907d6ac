"""Running a coroutine from plain code, whether or not an event loop runs already (as it does in a notebook)."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import signal
import threading
from collections.abc import Awaitable, Coroutine
from concurrent.futures import Future, wait
from typing import Any, Generic, TypeVar

__all__ = ["run_coroutine", "settled"]

T = TypeVar("T")


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; in a thread of its own where an event loop runs already.

    An interrupt (Ctrl-C) cancels the coroutine, waits until it has tidied up, and is raised then; a second does not wait.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        try:
            return run_here(Running(coroutine))
        finally:
            coroutine.close()  # an interrupt may come before it was begun, and it would be complained of as never awaited
    return run_in_thread(Running(coroutine))


class Running(Generic[T]):
    """A coroutine that can be cancelled from outside its event loop, also before it has begun."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.coroutine = coroutine
        self.cancelled = False
        self.begun: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None] | None = None

    async def main(self) -> T:
        self.begun = (asyncio.get_running_loop(), asyncio.current_task())
        if self.cancelled:
            self.coroutine.close()
            raise asyncio.CancelledError
        return await self.coroutine

    def cancel(self) -> None:
        self.cancelled = True
        if self.begun is not None:
            loop, task = self.begun
            if task is not None:
                with contextlib.suppress(RuntimeError):  # the loop may have been closed meanwhile
                    loop.call_soon_threadsafe(task.cancel)


def run_here(running: Running[T]) -> T:
    """Run in this thread.

    asyncio's own handling of interrupts leaves moments, before the coroutine begins and while the loop is closed, at which
    one is raised in the middle of its work; so here it waits until that is done.
    """

    def interrupt(*_: object) -> None:
        if running.cancelled:
            raise KeyboardInterrupt
        running.cancel()

    main = threading.current_thread() is threading.main_thread()
    handled = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if handled:
        signal.signal(signal.SIGINT, interrupt)
    try:
        result = asyncio.run(running.main())
    except asyncio.CancelledError:
        if running.cancelled:
            raise KeyboardInterrupt from None
        raise
    finally:
        if handled:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if running.cancelled:
        raise KeyboardInterrupt
    return result


def run_in_thread(running: Running[T]) -> T:
    """Run in a thread and an event loop of its own, and wait for it."""
    outcome: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            outcome.set_result(context.run(asyncio.run, running.main()))
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=work, name="ethogram").start()
    try:
        return outcome.result()
    except KeyboardInterrupt:
        running.cancel()
        wait([outcome])  # joining the thread would not do: until Python 3.13 a join that was interrupted calls it ended
        raise


def settled(value: T | Awaitable[T]) -> T:
    """What a method that may or may not be a coroutine returned, awaited where it has to be."""
    if not inspect.isawaitable(value):
        return value

    async def wait_for() -> T:
        return await value

    return run_coroutine(wait_for())
