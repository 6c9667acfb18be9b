"""The thread in which sockets ask the database: one connection, kept, and another when it is gone."""

import asyncio
import threading
from contextvars import ContextVar

import pytest
from django.db import Error, connection, connections

from accounts.models import State
from esanjeevani.live.database import in_database
from tests.running import SOON

pytestmark = pytest.mark.django_db(transaction=True)
whose: ContextVar[str] = ContextVar("whose", default="nobody")


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def run(scene):
    async def bounded():
        try:
            async with asyncio.timeout(SOON):
                return await scene()
        finally:
            await in_database(connections.close_all)

    return asyncio.run(bounded())


def test_each_gets_its_own_answer_or_error_in_its_own_context():
    def nonsense() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    async def one(name: str) -> str:
        whose.set(name)
        return await in_database(whose.get)

    async def scene():
        names = [f"page {number}" for number in range(20)]
        answers = asyncio.gather(*map(one, names))
        with pytest.raises(Error):
            await in_database(nonsense)
        assert await answers == names
        return await in_database(State.objects.count)

    assert run(scene) == State.objects.count()


def test_whoever_asks_no_longer_hurts_nobody():
    """Two answers come in one waking of the event loop; whom the first is for has gone by then."""

    async def scene():
        busy, go_on, answered = threading.Event(), threading.Event(), threading.Event()
        first = asyncio.ensure_future(in_database(lambda: (busy.set(), go_on.wait(SOON))))
        await asyncio.to_thread(busy.wait, SOON)
        gone, kept, last = (
            asyncio.ensure_future(in_database(ask))
            for ask in (State.objects.count, State.objects.count, answered.set)
        )
        await asyncio.sleep(0)
        go_on.set()
        assert answered.wait(SOON)  # the event loop does nothing meanwhile
        gone.cancel()
        await asyncio.gather(first, last)
        return await kept

    assert run(scene) == State.objects.count()


@pytest.mark.postgresql
def test_the_connection_is_kept_and_one_that_postgresql_ended_is_not_asked_again():
    async def twice() -> tuple[int, int]:
        return await in_database(backend), await in_database(backend)

    first, again = asyncio.run(twice())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [first])  # waits until it is gone
    other = run(lambda: in_database(backend))
    assert first == again != other
