"""A task that is handed over is on the list as Celery itself would have put it there."""

import json
from base64 import b64decode

import pytest
from celery import Celery
from django.conf import settings

from esanjeevani import broker

ITS_OWN = {"id", "root_id", "correlation_id", "reply_to", "delivery_tag", "origin"}


def by_celery(task: str, pk: int) -> dict[str, object]:
    app = Celery(broker="memory://")
    app.conf.task_routes = settings.CELERY_TASK_ROUTES
    app.conf.task_default_queue = settings.CELERY_TASK_DEFAULT_QUEUE
    with app.connection_for_write() as connection:
        app.send_task(task, args=(pk,), connection=connection)
        return json.loads(json.dumps(connection.default_channel._get(broker.queue_of(task))))


def without_ids(message: dict[str, object]) -> dict[str, object]:
    parts = {
        name: {key: value for key, value in message[name].items() if key not in ITS_OWN}
        for name in ("headers", "properties")
    }
    return message | parts | {"body": json.loads(b64decode(str(message["body"])))}


@pytest.mark.parametrize("task", ["accounts.deliver", "consult.render", "accounts.sweep_old"])
def test_a_task_is_handed_over_as_celery_would(task):
    ours = json.loads(json.dumps(broker.message(task, (7,), broker.queue_of(task))))
    theirs = by_celery(task, 7)
    assert without_ids(ours) == without_ids(theirs)
    for part in ("headers", "properties"):
        assert ours[part].keys() == theirs[part].keys()
    assert ours["headers"]["id"] == ours["headers"]["root_id"]
    assert ours["properties"]["correlation_id"] == ours["headers"]["id"]
