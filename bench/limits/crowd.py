"""A line as long as nobody wants it: rows written by the database itself, without our code."""

import psycopg
from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench.services import CannotStart
from queues.models import Clinic, ClinicDay, Token

FIRST = 100_000_000  # ids from here on are theirs
LAST = 2_000_000_000  # numbers: who joins the line again takes one that nobody counted


def crowd(clinic: Clinic, how_many: int, *, with_priority: bool = True) -> None:
    """So many present people wait in `clinic`, one in ten with priority or none. Raises CannotStart."""
    first = max(Token.objects.order_by("-pk").values_list("pk", flat=True).first() or 0, FIRST)
    today = timezone.localdate()
    numbers = {"first": first, "n": how_many, "clinic": clinic.pk, "today": today}
    numbers["with_priority"] = with_priority
    try:
        # Constraints between tables hold by construction; checking a million of them takes minutes.
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            ClinicDay.objects.create(clinic=clinic, day=today, last_number=LAST)
            for statement in STATEMENTS:
                cursor.execute(statement, numbers)
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("VACUUM (ANALYZE) queue_token, queue_presence, accounts_patient")
    except psycopg.errors.InsufficientPrivilege as error:
        raise CannotStart(f"Filling {settings.DATABASES['default']['NAME']}: {error}") from None


STATEMENTS = [
    """INSERT INTO accounts_user (id, password, is_superuser, phone, name, language, is_staff,
         is_active, created_at)
       SELECT %(first)s + n, '!', false, '+90' || (%(first)s + n), '', 'en', false, true, now()
       FROM generate_series(1, %(n)s) n""",
    """INSERT INTO accounts_patient (id, uid, account_id, number, name, sex, birth_date,
         birth_date_is_exact, address, state_id, language, guardian_name, guardian_relation,
         abha_number, abha_address, created_at)
       SELECT %(first)s + n, gen_random_uuid(), %(first)s + n, (%(first)s + n)::text,
         'Asha Menon ' || n, 'female', '1990-01-01', true, '12 Canal Road, Ernakulam 682011', 32,
         'en', '', '', '', '', now()
       FROM generate_series(1, %(n)s) n""",
    """INSERT INTO queue_token (id, uid, clinic_id, day, number, patient_id, priority, state,
         issued_at, passes, yields, comes_first)
       SELECT %(first)s + n, gen_random_uuid(), %(clinic)s, %(today)s, n, %(first)s + n,
         CASE WHEN %(with_priority)s AND n %% 10 = 0 THEN 1 ELSE 2 END, 'waiting', now(), 0, false, false
       FROM generate_series(1, %(n)s) n""",
    """INSERT INTO queue_presence (token_id, until)
       SELECT %(first)s + n, now() + interval '12 hours' FROM generate_series(1, %(n)s) n""",
]
