"""What is old and grows fastest leaves the database for files: audit events, and SMS that were sent.

The oldest rows first, so many to a file, which `manage.py loaddata` reads back. A file is whole on
disk, and was read again, before its rows go. Whoever is stopped in between makes the same file anew.
"""

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from accounts.models import AuditEvent, Message

ROWS_PER_FILE = 50_000


class Exactly(DjangoJSONEncoder):
    """Times to the microsecond, as the rows have them."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class NotArchived(Exception):
    """Nothing was deleted; the text says why."""


@dataclass(frozen=True)
class Kept:
    """One file, and how many rows went into it."""

    path: Path
    rows: int


def archive(before: datetime, folder: Path, rows_per_file: int = ROWS_PER_FILE) -> Iterator[Kept]:
    """File after file until nothing older is left. Raises NotArchived, OSError, django.db.Error."""
    sources: list[tuple[models.QuerySet[Any], str]] = [
        (AuditEvent.objects.all(), "at"),
        (Message.objects.filter(state=Message.State.SENT), "created_at"),
    ]
    for rows, when in sources:
        while part := _oldest(rows, when, before, rows_per_file):
            path = _write(part, folder)
            _delete(rows, part, path)
            yield Kept(path, len(part))


def _oldest(rows: models.QuerySet[Any], when: str, before: datetime, most: int) -> list[Any]:
    """By the order in which they came, which needs no index of the time, up to the first younger one."""
    found = []
    for row in rows.order_by("pk")[:most]:
        if getattr(row, when) >= before:
            break
        found.append(row)
    return found


def _write(part: list[Any], folder: Path) -> Path:
    """The file is there as a whole or not at all; only its owner reads it."""
    first, last = part[0], part[-1]
    path = folder / f"{first._meta.db_table}-{first.pk}-{last.pk}.jsonl.gz"
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            packed.write(serializers.serialize("jsonl", part, cls=Exactly).encode())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return path


@transaction.atomic
def _delete(rows: models.QuerySet[Any], part: list[Any], path: Path) -> None:
    """The rows that the file holds, all of them and no other, or none."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        held = [one.object.pk for one in serializers.deserialize("jsonl", file)]
    if held != [row.pk for row in part]:
        raise NotArchived(f"{path} does not hold what was written to it.")
    deleted, _by_model = rows.filter(pk__range=(held[0], held[-1])).delete()
    if deleted != len(part):
        raise NotArchived(f"The rows of {path} are not those that are there now.")
