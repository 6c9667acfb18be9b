"""Handing a task to Celery for a tenth of what its own send_task() costs.

What is put into Redis is the same: Celery's message protocol 2 in kombu's envelope. A test holds it
against what Celery sends.
"""

import json
from base64 import b64encode
from functools import cache
from uuid import uuid4

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

OPTIONS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
HEADERS: dict[str, object] = {
    "lang": "py",
    "shadow": None,
    "eta": None,
    "expires": None,
    "group": None,
    "group_index": None,
    "retries": 0,
    "timelimit": [None, None],
    "parent_id": None,
    "kwargsrepr": "{}",
    "origin": "pages",
    "ignore_result": None,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}


def send(task: str, ids: tuple[int, ...]) -> None:
    """Raises redis.RedisError."""
    queue = queue_of(task)
    _client().lpush(queue, json.dumps(message(task, ids, queue)))


def queue_of(task: str) -> str:
    return settings.CELERY_TASK_ROUTES.get(task, {}).get(
        "queue", settings.CELERY_TASK_DEFAULT_QUEUE
    )


def message(task: str, ids: tuple[int, ...], queue: str) -> dict[str, object]:
    uid = str(uuid4())
    body = json.dumps([ids, {}, OPTIONS]).encode()
    headers = {"task": task, "id": uid, "root_id": uid, "argsrepr": repr(ids)}
    return {
        "body": b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": HEADERS | headers,
        "properties": {
            "correlation_id": uid,
            "reply_to": uid,  # nobody waits for a result
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
        },
    }


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=1,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 1),
    )
