"""Who is with a doctor is looked for by the index of what is asked, whatever else the service holds."""

import json

import pytest
from django.db import connection
from django.db.models import QuerySet

from queues.models import Token
from tests.factories import a_clinic, on_duty, waiting

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

ASKED = [
    ("doctor", "queue_token_one_held_per_doctor"),
    ("patient", "queue_token_one_held_per_patient"),
    ("brought_by", "queue_token_at_screen"),
]


@pytest.mark.parametrize(("whose", "index"), ASKED)
def test_it_enters_by_whose_it_is(whose: str, index: str) -> None:
    """Also where nobody was held when PostgreSQL last counted, and each such index seemed as short."""
    clinic = a_clinic()
    on_duty(clinic)
    for _ in range(3):
        waiting(clinic)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE queue_token")
    found = plan(Token.objects.held().filter(**{f"{whose}_id": 5}))
    assert (found["Index Name"], "Index Cond" in found) == (index, True)


def plan(tokens: QuerySet[Token]) -> dict[str, object]:
    """By the indexes that a large table is read by."""
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    [explained] = json.loads(tokens.explain(format="json"))
    return dict(explained["Plan"])
