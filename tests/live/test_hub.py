"""Live updates: a bounded mailbox per socket, one subscription per process, a resync after each gap."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

import pytest
import redis
from django.conf import settings as project

from esanjeevani.live import hub as ours
from esanjeevani.live.hub import (
    CHANNEL,
    MAILBOX_SIZE,
    REMEMBERED,
    RESYNC,
    Hub,
    Mailbox,
    hub,
    publish,
    relay,
    relay_to_one,
)
from tests.running import SOON, free_port


def told(number: int, kind: str = "message") -> dict:
    return {"type": kind, "id": number}


async def read(mailbox: Mailbox, count: int = 1) -> list[dict]:
    """The next so many messages; raises TimeoutError when they do not come."""
    messages = mailbox.messages()
    async with asyncio.timeout(SOON):
        return [await anext(messages) for _ in range(count)]


async def until(mailbox: Mailbox, kind: str) -> dict:
    async with asyncio.timeout(SOON):
        async for message in mailbox.messages():
            if message["type"] == kind:
                return message
    raise AssertionError("A mailbox never ends.")


async def silent(mailbox: Mailbox) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await anext(mailbox.messages())
    except TimeoutError:
        return True
    return False


# --- the mailbox --------------------------------------------------------------------------------
def test_messages_come_in_the_order_in_which_they_were_put():
    async def scene() -> list[dict]:
        mailbox = Mailbox()
        for number in range(MAILBOX_SIZE):
            mailbox.put(told(number))
        return await read(mailbox, MAILBOX_SIZE)

    assert asyncio.run(scene()) == [told(number) for number in range(MAILBOX_SIZE)]


def test_a_page_too_slow_to_read_is_told_to_look_again_and_takes_no_more_room():
    async def scene() -> list[dict]:
        mailbox = Mailbox()
        for number in range(MAILBOX_SIZE * 10 + 1):
            mailbox.put(told(number))
        assert len(mailbox._waiting) <= MAILBOX_SIZE
        return await read(mailbox)

    assert asyncio.run(scene()) == [RESYNC]


def test_of_places_only_the_latest_is_kept_and_no_other_message_is_lost():
    async def scene() -> list[dict]:
        mailbox = Mailbox()
        mailbox.put_latest(told(1, "place"))
        mailbox.put(told(7))
        mailbox.put_latest(told(2, "place"))
        mailbox.put_latest(told(3, "place"))
        first = await read(mailbox, 2)
        mailbox.put_latest(told(4, "place"))
        return first + await read(mailbox)

    assert asyncio.run(scene()) == [told(3, "place"), told(7), told(4, "place")]


def test_a_batch_is_waited_for_so_long_and_then_forgotten():
    async def scene() -> None:
        mailbox = Mailbox()
        mailbox.put(told(1))
        mailbox.put(told(2))
        assert await asyncio.wait_for(mailbox.next_batch(SOON * 2), SOON) is True
        assert await silent(mailbox)
        assert await asyncio.wait_for(mailbox.next_batch(0.01), SOON) is False

    asyncio.run(scene())


# --- the hub ------------------------------------------------------------------------------------
@pytest.fixture
def in_memory(settings) -> None:
    settings.IN_MEMORY = True


def test_a_message_reaches_the_mailboxes_of_its_topic_and_no_other(in_memory):
    async def scene() -> None:
        asha, ravi = Mailbox(), Mailbox()
        await hub().join(["room.1", "token.1"], asha)
        await hub().join(["room.2"], ravi)
        publish("room.1", type="message", id=5)
        publish("nobody.is.here", type="message", id=6)
        assert await read(asha) == [told(5)]
        hub().leave(asha)
        publish("token.1", type="token", state="called")
        assert await silent(asha)
        assert await silent(ravi)
        hub().leave(ravi)
        assert hub()._topics == {}

    asyncio.run(scene())


def test_what_another_thread_publishes_arrives(in_memory):
    async def scene() -> list[dict]:
        mailbox = Mailbox()
        await hub().join(["room.1"], mailbox)
        await asyncio.to_thread(publish, "room.1", type="message", id=5)
        return await read(mailbox)

    assert asyncio.run(scene()) == [told(5)]


def test_a_page_that_does_not_read_takes_nothing_from_the_others(in_memory):
    async def scene() -> list[dict]:
        stalled, reads = Mailbox(), Mailbox()
        for mailbox in (stalled, reads):
            await hub().join(["room.1"], mailbox)
        got = []
        for number in range(MAILBOX_SIZE * 3):
            publish("room.1", type="message", id=number)
            got += await read(reads)
        assert len(stalled._waiting) <= MAILBOX_SIZE
        return got

    assert asyncio.run(scene()) == [told(number) for number in range(MAILBOX_SIZE * 3)]


def test_a_message_carries_no_data(in_memory):
    with pytest.raises(ValueError, match="does not carry the data"):
        publish("room.1", type="message", text="x" * 5000)


# --- Redis --------------------------------------------------------------------------------------
@pytest.fixture
def nobody_at_redis(settings, monkeypatch) -> None:
    settings.IN_MEMORY = False
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    monkeypatch.setattr(ours, "_publisher", None)


def test_with_redis_away_publishing_says_so_in_the_log_and_goes_on(nobody_at_redis, caplog):
    with caplog.at_level(logging.WARNING):
        publish("room.1", type="message", id=5)
    assert "Redis is away, nobody was told of room.1" in caplog.text


def test_with_redis_away_a_page_is_let_in_after_a_moment(nobody_at_redis):
    async def scene() -> None:
        async with asyncio.timeout(SOON):
            await hub().join(["room.1"], Mailbox())

    asyncio.run(scene())


@pytest.fixture
def server(monkeypatch) -> Iterator[redis.Redis]:
    monkeypatch.setattr(ours, "_publisher", None)
    with redis.Redis.from_url(project.REDIS_URL) as client:
        yield client
    if ours._publisher:
        ours._publisher.close()


def on_redis(scene: Callable[[Mailbox], Awaitable[object]]) -> None:
    async def run() -> None:
        mailbox = Mailbox()
        await hub().join(["room.1"], mailbox)
        await scene(mailbox)

    asyncio.run(run())


async def say(number: int) -> None:
    await asyncio.to_thread(publish, "room.1", type="message", id=number)


@pytest.mark.redis
def test_who_has_joined_hears_what_is_published_from_then_on(server):
    """Everybody who joins while the subscription is still being made waits for it too."""

    async def scene() -> None:
        boxes = [Mailbox() for _ in range(5)]
        one_hub = Hub(asyncio.get_running_loop())
        first = asyncio.create_task(one_hub.join(["room.1"], boxes[0]))
        await asyncio.sleep(0)
        await one_hub.join(["room.1"], boxes[1])
        await say(5)
        assert await read(boxes[1]) == [told(5)]
        await first
        assert await read(boxes[0]) == [told(5)]

    asyncio.run(scene())


@pytest.mark.redis
def test_a_flush_costs_nobody_the_next_message(server):
    async def scene(mailbox: Mailbox) -> None:
        await asyncio.to_thread(server.flushall)
        await say(5)
        assert await read(mailbox) == [told(5)]

    on_redis(scene)


@pytest.mark.redis
def test_after_a_lost_connection_everybody_is_told_to_look_again_and_hears_the_next(server):
    async def scene(mailbox: Mailbox) -> None:
        for number in (5, 6):
            await asyncio.to_thread(server.client_kill_filter, _type="pubsub")
            await until(mailbox, "resync")
            await say(number)
            assert await until(mailbox, "message") == told(number)

    on_redis(scene)


@pytest.mark.redis
def test_who_came_before_redis_did_is_told_to_look_again_once_it_is_there(server, settings):
    async def scene() -> None:
        mailbox, late = Mailbox(), Mailbox()
        settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
        await hub().join(["room.1"], mailbox)
        settings.REDIS_URL = there
        await until(mailbox, "resync")
        await hub().join(["room.1"], late)
        await say(5)
        assert await read(late) == [told(5)]

    there = project.REDIS_URL
    asyncio.run(scene())


def published(server: "redis.Redis") -> int:
    return server.info("commandstats").get("cmdstat_publish", {"calls": 0})["calls"]


@pytest.mark.redis
def test_what_pages_say_in_one_go_is_one_message_of_redis_and_keeps_its_order(server):
    async def scene(mailbox: Mailbox) -> None:
        before, words = await asyncio.to_thread(published, server), "two\nlines \u2028 है"
        for number in range(6):
            relay("room.1", told(number) | {"words": words})
        heard = await read(mailbox, 6)
        assert heard == [told(number) | {"words": words} for number in range(6)]
        assert await asyncio.to_thread(published, server) == before + 1

    on_redis(scene)


@pytest.mark.redis
def test_what_is_for_one_page_of_this_process_does_not_go_through_redis(server):
    async def scene(mailbox: Mailbox) -> None:
        before = await asyncio.to_thread(published, server)
        await hub().join(["call.1.page"], mailbox)
        relay_to_one("call.1.page", told(1))
        assert await read(mailbox) == [told(1)]
        assert await asyncio.to_thread(published, server) == before
        hub().leave(mailbox, "call.1.page")  # another socket has that page now
        relay_to_one("call.1.page", told(2))
        relay("room.1", told(3))
        assert await read(mailbox) == [told(3)]
        assert await asyncio.to_thread(published, server) > before

    on_redis(scene)


@pytest.mark.redis
def test_nonsense_on_the_channel_hurts_nobody(server):
    async def scene(mailbox: Mailbox) -> None:
        for nonsense in (b"room.1 {", b"\xff\xfe", b"", b"room.1"):
            await asyncio.to_thread(server.publish, CHANNEL, nonsense)
        await say(5)
        assert await read(mailbox) == [told(5)]

    on_redis(scene)


# --- joining ------------------------------------------------------------------------------------
def test_what_was_said_between_the_reading_and_the_joining_is_heard(in_memory):
    async def scene() -> None:
        mailbox = Mailbox()
        publish("room.1", type="message", id=4)
        await asyncio.sleep(0)
        since = await hub().ready()
        publish("room.1", type="message", id=5)
        publish("room.2", type="message", id=6)
        publish("token.1", "line.1", type="message", id=7)
        await asyncio.sleep(0)
        await hub().join(["room.1", "line.1"], mailbox, since)
        assert await read(mailbox, 2) == [told(5), told(7)]
        assert await silent(mailbox)

    asyncio.run(scene())


def test_who_took_longer_than_is_remembered_is_told_to_look_again(in_memory):
    async def scene() -> list[dict]:
        mailbox = Mailbox()
        since = await hub().ready()
        for number in range(REMEMBERED + 1):
            publish("room.2", type="message", id=number)
        await asyncio.sleep(0)
        await hub().join(["room.1"], mailbox, since)
        return await read(mailbox)

    assert asyncio.run(scene()) == [RESYNC]


def test_one_message_reaches_all_its_topics(in_memory):
    async def scene() -> None:
        patient, line = Mailbox(), Mailbox()
        await hub().join(["token.1"], patient)
        await hub().join(["line.1"], line)
        publish("token.1", "line.1", type="message", id=5)
        assert await read(patient) == await read(line) == [told(5)]

    asyncio.run(scene())


# --- the short way ------------------------------------------------------------------------------
def test_a_text_passes_through_only_where_nothing_waits_to_be_sent():
    async def scene() -> None:
        mailbox, sent = Mailbox(), []
        assert not mailbox.pass_through(b"no such way")
        mailbox.push = lambda text: sent.append(text) or True
        assert mailbox.pass_through(b"1")
        mailbox.put(told(2))
        assert not mailbox.pass_through(b"waits")
        messages = mailbox.messages()
        assert await anext(messages) == told(2)
        assert not mailbox.pass_through(b"is being sent")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(messages), 0.05)  # sent; the sender waits for the next
        assert mailbox.pass_through(b"3")
        assert sent == [b"1", b"3"]

    asyncio.run(scene())
