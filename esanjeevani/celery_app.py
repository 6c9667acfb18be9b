"""The Celery application: `celery -A esanjeevani.celery_app`."""

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

import redis
from celery import Celery, Task
from django.conf import settings
from django.db import close_old_connections, transaction

from esanjeevani import broker
from esanjeevani.clock import clock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esanjeevani.settings")


class Punctual(Task):
    """A task is left alone where the clock is wrong: a sweep elsewhere finds the row that is due."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Connections are kept between tasks as between requests: what is dead or too old is left."""
        del task_id, args, kwargs
        if not self.request.is_eager:
            close_old_connections()

    def __call__(self, *args: object, **kwargs: object) -> object:
        if not clock.is_right():
            log.error("%s was not done: the clock is wrong.", self.name)
            return None
        return super().__call__(*args, **kwargs)


app = Celery("esanjeevani", task_cls=Punctual)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

log = logging.getLogger(__name__)


def enqueue(task: str, *ids: int) -> None:
    """Hand `task` to Celery once the transaction has committed.

    A broker that is away is logged and forgotten: every task starts from a row, and a sweep
    finds the rows that are due. Without a broker (embedded) the task runs in this process.
    """

    def send() -> None:  # a function of its own: Django logs a failed hook by its name
        _send(task, ids)

    transaction.on_commit(send, robust=True)


def sweep(do: Callable[[int], bool], ids: Iterable[int]) -> int:
    """Do it for each row; returns how often it was done. One that fails holds up none behind it."""
    return sum(_try(do, pk) for pk in ids)


def _try(do: Callable[[int], bool], pk: int) -> bool:
    try:
        return do(pk)
    except Exception:
        log.exception("%s(%s) failed in a sweep", do.__name__, pk)
        return False


def _send(task: str, ids: tuple[int, ...]) -> None:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        app.loader.import_default_modules()
        app.tasks[task].apply(args=ids)
        return
    try:
        broker.send(task, ids)
    except redis.RedisError as error:
        log.warning("The broker is away, %s%s waits for the sweep: %s", task, ids, error)
