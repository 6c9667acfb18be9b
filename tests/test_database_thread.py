"""The thread in which sockets ask the database: one connection, kept, and another when it is gone."""

import asyncio
from contextvars import ContextVar

import pytest
from django.db import Error, connection, connections

from accounts.models import State
from esanjeevani.database import in_database
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
    async def scene():
        gone = asyncio.ensure_future(in_database(State.objects.count))
        await asyncio.sleep(0)
        gone.cancel()
        return await in_database(State.objects.count)

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
