"""The one thread of a process in which its sockets ask the database, on a connection that it keeps.

Channels' own way (`database_sync_to_async`) takes a connection for each question and gives it back, and
PostgreSQL is asked each time whether it still answers: with the thread's waking more than most of
the questions cost. Here what was asked meanwhile is answered together, and whether the connection
still stands is seen without asking: docs/decisions/0031.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.db import connection

from esanjeevani.postgresql.base import something_was_said

AT_ONCE = 8  # questions whose answers the event loop is woken for once

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Question(NamedTuple):
    """Something to do with the database, and who waits for what comes of it."""

    ask: Callable[[], Any]
    context: Context
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"

    def answered(self) -> Callable[[], None]:
        """Ask it now; what is returned gives the answer, or what was raised, in its event loop."""
        if self.answer.cancelled():
            return lambda: None
        try:
            found = self.context.run(self.ask)
        except BaseException as error:  # noqa: BLE001 - whoever asked raises it
            return partial(self._give, self.answer.set_exception, error)
        return partial(self._give, self.answer.set_result, found)

    def _give(self, how: Callable[[Any], None], what: Any) -> None:
        if not self.answer.done():  # else whoever asked is gone
            how(what)


class DatabaseThread:
    """Begins with the first question and lives as long as the process."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Question] = SimpleQueue()
        self._begin = threading.Lock()
        self._thread: threading.Thread | None = None

    async def ask(self, question: Callable[[], Answer]) -> Answer:
        if self._thread is None:
            self._start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._asked.put(Question(question, copy_context(), loop, answer))
        return await answer

    def _start(self) -> None:
        with self._begin:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="database", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while True:
            asked = [self._asked.get()]
            while len(asked) < AT_ONCE and not self._asked.empty():
                asked.append(self._asked.get())
            answers: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
            for one in asked:
                close_if_broken()
                answers.setdefault(one.loop, []).append(one.answered())
            for loop, given in answers.items():
                with contextlib.suppress(RuntimeError):  # it is closed: nobody waits any more
                    loop.call_soon_threadsafe(_give_all, given)


def _give_all(answers: list[Callable[[], None]]) -> None:
    for give in answers:
        give()


def close_if_broken() -> None:
    """The next question opens another: after an error, and when PostgreSQL ended the connection.

    One on which nothing was asked has nothing to say but that it is over; a server that vanished from the
    network is noticed by TCP (settings.py).
    """
    held: Any = connection.connection
    if held is None:
        return
    has_ended = connection.vendor == "postgresql" and (held.closed or something_was_said(held))
    if connection.errors_occurred or has_ended:
        connection.close()


_thread = DatabaseThread()


async def in_database(ask: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
    """What `ask` returns or raises, called in the thread with the database and in this context."""
    return await _thread.ask(partial(ask, *args, **kwargs))
