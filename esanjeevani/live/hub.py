"""Live updates: one Redis subscription per process, and a mailbox per open socket.

Why not a channel layer: docs/decisions/0003. A message is a hint that something changed. It may be
lost; truth is in the database, and after a gap every mailbox is told to "resync".
"""

import asyncio
import contextlib
import json
import logging
import random
import weakref
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import islice
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

CHANNEL = "esanjeevani:live"
PUSH = "esanjeevani.push"  # the extension of the ASGI scope by which sockets.py writes at once
RESYNC = {"type": "resync"}
MAILBOX_SIZE = 64
REMEMBERED = 512  # messages of all topics, for those who are just joining
MAX_MESSAGE_BYTES = 4096
MAX_RELAYED_BYTES = 24_576  # a session description with everything a browser offers
SUBSCRIBED_WITHIN = 2.0  # seconds

log = logging.getLogger(__name__)
Message = dict[str, Any]


class Mailbox:
    """What waits to be sent to one socket. Bounded: a socket too slow to read is told to resync.

    `push` writes a text to the socket at once, or says that it cannot; None where there is no such way.
    """

    def __init__(self) -> None:
        self.push: Callable[[bytes], bool] | None = None
        self._waiting: list[Message] = []  # mostly empty, and a tenth of the size of a deque
        self._ready = asyncio.Event()
        self._sending = False  # somebody is sending what messages() gave out

    def put(self, message: Message) -> None:
        if len(self._waiting) >= MAILBOX_SIZE:
            self._waiting.clear()
            message = RESYNC
        self._waiting.append(message)
        self._ready.set()

    def put_latest(self, message: Message) -> None:
        """As put(), but an unsent message of the same type, and about the same token, is replaced."""
        about = (message["type"], message.get("token"))
        for index, old in enumerate(self._waiting):
            if (old["type"], old.get("token")) == about:
                self._waiting[index] = message
                return
        self.put(message)

    def pass_through(self, text: bytes) -> bool:
        """Send it before anything is put here; False when something waits or the socket is slow."""
        return self.push is not None and not self._waiting and not self._sending and self.push(text)

    async def messages(self) -> AsyncIterator[Message]:
        while True:
            await self._ready.wait()
            self._sending = True
            while self._waiting:
                yield self._waiting.pop(0)
            self._sending = False
            self._ready.clear()

    async def next_batch(self, at_most: float) -> bool:
        """Wait for something to come, at most `at_most` seconds, and forget what it was.

        False when nothing came.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), at_most)
        came = bool(self._waiting)
        self._waiting.clear()
        self._ready.clear()
        return came


class Hub:
    """Hands messages to this process's mailboxes by topic. Lives in one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._topics: dict[str, set[Mailbox]] = defaultdict(set)
        self._joined: dict[Mailbox, tuple[str, ...]] = {}  # so that leaving asks no other topic
        self._reader: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()
        self._let_in_at = 0.0  # nobody waits longer for the subscription
        self._missed = False  # somebody read a state that has perhaps changed since, unheard
        self._heard = 0  # how many messages came, of all topics
        self._recent: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        self._to_relay: list[tuple[str, str]] = []
        self._relaying: asyncio.Task[None] | None = None

    async def join(self, topics: Iterable[str], mailbox: Mailbox, since: int | None = None) -> None:
        """Returns once messages published from now on reach the mailbox.

        With `since`, a number from ready(), those that came after it are put there too: so the topics
        may depend on a state that is read only once. With Redis away it returns all the same; the
        mailbox is told to resync when Redis is back.
        """
        wanted = set(topics)
        for topic in wanted:
            self._topics[topic].add(mailbox)
        self._joined[mailbox] = tuple(wanted.union(self._joined.get(mailbox, ())))
        if since is not None:
            self._repeat(wanted, mailbox, self._heard - since)
        await self.ready()

    def _repeat(self, topics: set[str], mailbox: Mailbox, last: int) -> None:
        if last > len(self._recent):
            mailbox.put(RESYNC)
            return
        for of, payload in islice(self._recent, len(self._recent) - last, None):
            if topics.intersection(of.split(",")):
                mailbox.put(json.loads(payload))

    async def ready(self) -> int:
        """Returns once messages are heard, with the number of the last one; or when Redis is away."""
        if settings.IN_MEMORY or self._subscribed.is_set():
            return self._heard
        if self._reader is None:
            self._let_in_at = self.loop.time() + SUBSCRIBED_WITHIN
            self._reader = asyncio.create_task(self._read())
        try:
            async with asyncio.timeout_at(self._let_in_at):
                await self._subscribed.wait()
        except TimeoutError:
            self._missed = True
        return self._heard

    def leave(self, mailbox: Mailbox, *those: str) -> None:
        """Those topics, or all that it joined."""
        joined = set(self._joined.pop(mailbox, ()))
        left = joined.intersection(those) if those else joined
        if joined != left:
            self._joined[mailbox] = tuple(joined - left)
        for topic in left:
            self._topics[topic].discard(mailbox)
            if not self._topics[topic]:
                del self._topics[topic]

    def deliver(self, topics: str, payload: str) -> None:
        """`topics` are separated by commas."""
        self._heard += 1
        self._recent.append((topics, payload))
        boxes = [box for topic in topics.split(",") for box in self._topics.get(topic, ())]
        if boxes:
            message = json.loads(payload)
            for box in boxes:
                box.put(message)

    def hand_over(self, topic: str, message: Message) -> bool:
        """At once to whoever of this process is on the topic; False when nobody is."""
        boxes = self._topics.get(topic)
        for box in boxes or ():
            box.put(message)
        return bool(boxes)

    def relay(self, topic: str, payload: str) -> None:
        """Send it off; what is said while a thread sends goes together with the next."""
        self._to_relay.append((topic, payload))
        if self._relaying is None:
            self._relaying = self.loop.create_task(self._relay())

    async def _relay(self) -> None:
        try:
            while self._to_relay:
                said, self._to_relay = self._to_relay, []
                await asyncio.to_thread(_send, *said)
        finally:
            self._relaying = None

    def _receive(self, data: bytes) -> None:
        for line in data.split(b"\n"):
            try:
                topics, _, payload = line.decode().partition(" ")
                self.deliver(topics, payload)
            except ValueError:
                log.warning("Live updates: not one of our messages: %.80r", line)

    def resync(self) -> None:
        for box in self._joined:
            box.put(RESYNC)

    async def _read(self) -> None:
        """Reads the subscription for ever; after each gap everybody is told to resync."""
        wait = 0.0
        while True:
            client = redis.asyncio.Redis.from_url(settings.REDIS_URL, health_check_interval=15)
            try:
                async with client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    async for item in subscription.listen():
                        if item["type"] == "subscribe":
                            wait = 0.0
                            if self._missed:
                                self.resync()
                            self._missed = True  # whatever is said before the next "subscribe"
                            self._subscribed.set()
                        elif item["type"] == "message":
                            self._receive(item["data"])
            except (redis.RedisError, OSError) as error:
                wait = min(5.0, wait * 2 + 0.2)
                log.warning(
                    "Live updates lost Redis, trying again in about %.1f s: %s", wait, error
                )
                await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret
            finally:
                with contextlib.suppress(redis.RedisError, OSError):
                    await client.aclose()


_hubs: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = weakref.WeakKeyDictionary()
_publisher: redis.Redis | None = None


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(loop)
    return _hubs[loop]


def publish(*topics: str, **message: Any) -> None:
    """Tell every socket on these topics, in whatever process. Never raises when Redis is away.

    Call it after commit only (`transaction.on_commit`): who is told must find the change.
    """
    payload = json.dumps(message)
    if len(payload) > MAX_MESSAGE_BYTES:
        raise ValueError("A live message says what changed; it does not carry the data.")
    _send((",".join(topics), payload))


def relay(topic: str, message: Message) -> None:
    """What one page says to another, in the order it is said: the signalling of a call.

    As lossy as everything here, and larger. The caller has checked its size.
    """
    payload = json.dumps(message)
    if len(payload) > MAX_RELAYED_BYTES:
        raise ValueError("Too large to be relayed.")
    hub().relay(topic, payload)


def relay_to_one(topic: str, message: Message) -> None:
    """relay() on the topic of a single page: Redis need not know of it when that page is in this process."""
    if not hub().hand_over(topic, message):
        relay(topic, message)


def _send(*said: tuple[str, str]) -> None:
    """Topics and payload of each, in this order and in one message: most that it costs is by message."""
    if settings.IN_MEMORY:
        for one in list(_hubs.values()):
            if not one.loop.is_closed():
                for topics, payload in said:
                    one.loop.call_soon_threadsafe(one.deliver, topics, payload)
        return
    global _publisher
    if _publisher is None:
        _publisher = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=1,
            socket_timeout=1,
            retry=Retry(NoBackoff(), 1),
        )
    try:
        # A line for each: JSON writes the end of one otherwise.
        _publisher.publish(CHANNEL, "\n".join(f"{topics} {payload}" for topics, payload in said))
    except redis.RedisError as error:
        log.warning("Redis is away, nobody was told of %s: %s", said[0][0], error)
