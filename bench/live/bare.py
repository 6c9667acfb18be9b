"""The least that can do the same job: `websockets` that broadcasts what comes from Redis.

    python -m bench.live.bare PORT REDIS_URL

No session, no rights, no place of one's own: everybody gets the same text.
"""

import asyncio
import sys

import redis.asyncio
from websockets.asyncio.server import ServerConnection, broadcast, serve

CHANNEL = "bench:bare"
FIRST = 1_000_000  # what is told before the first change; then one less each time


def text(ahead: int) -> str:
    """As long as a place."""
    return (
        f'{{"token": 1000000, "type": "place", "ahead": {ahead}, "doctors": 1, '
        '"low": 100, "high": 200}'
    )


async def main(port: int, url: str) -> None:
    pages: set[ServerConnection] = set()
    last = text(FIRST)

    async def page(connection: ServerConnection) -> None:
        pages.add(connection)
        await connection.send(last)
        await connection.wait_closed()
        pages.discard(connection)

    async with (
        redis.asyncio.Redis.from_url(url) as client,
        client.pubsub() as subscription,
        serve(page, "127.0.0.1", port, compression=None),
    ):
        await subscription.subscribe(CHANNEL)
        async for item in subscription.listen():
            if item["type"] == "message":
                last = item["data"].decode()
                broadcast(pages, last)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
