"""How PostgreSQL answers what people ask most, once the tables are large, and what a row of each weighs."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection

from bench import rows
from bench.counts import BRACKETS, count
from bench.limits.crowd import crowd
from bench.operations import OPERATIONS
from bench.report import COLUMN_LIST

CSRF = "a" * 32
LARGE = 10_000  # rows: to read such a table from end to end is a mistake
TABLES = [
    "accounts_user", "accounts_patient", "queue_token", "queue_presence", "consult_consultation",
    "consult_consent", "accounts_auditevent", "accounts_message",
]  # fmt: skip
PER_CONSULTATION = {"accounts_auditevent": 12, "accounts_message": 2}  # rows; one of the others
FINISHED = [
    """UPDATE queue_token SET state = 'done', doctor_id = %(doctor)s, called_at = issued_at,
         answered_at = issued_at, ended_at = issued_at + interval '7 minutes'
       WHERE clinic_id = %(clinic)s""",
    """INSERT INTO consult_consultation (uid, complaint, since, history, family_history, allergies,
         medicines, is_pregnant, is_disabled, examination, impression, is_emergency, phone_centre,
         patient_id, clinic_id, token_id, doctor_id, is_written, revision, state, end_reason, end_words,
         chosen_because, may_phone, video_seconds, sound_seconds, created_at, requested_at,
         started_at, ended_at)
       SELECT gen_random_uuid(), 'Fever and cough for three days', 'days', '', '', 'none',
         'Paracetamol', false, false, '', '', false, false,
         patient_id, clinic_id, id, doctor_id, false, 0, 'completed', '', '',
         '', false, 300, 300, issued_at, issued_at, answered_at, ended_at
       FROM queue_token WHERE clinic_id = %(clinic)s""",
    """INSERT INTO consult_consent (consultation_id, version, language, how, given_at, given_by_id)
       SELECT one.id, '2026-11-23', 'en', 'ticked', one.requested_at, patient.account_id
       FROM consult_consultation one JOIN accounts_patient patient ON patient.id = one.patient_id""",
    """INSERT INTO accounts_auditevent (at, by_id, action, target, patient_id, address, refused)
       SELECT one.requested_at, patient.account_id, 'consultation.request',
         'consultation:' || one.uid, patient.id, '10.0.0.1', false
       FROM consult_consultation one JOIN accounts_patient patient ON patient.id = one.patient_id""",
    """INSERT INTO accounts_message ("to", template_id, text, is_secret, state, created_at, due_at,
         sent_at, attempts, error)
       SELECT '+919876543210', (SELECT MIN(id) FROM accounts_smstemplate),
         'Your token is 12, OPD 3. Your place is kept. See it here: https://example.org/v/abcdefgh',
         false, 'sent', requested_at, requested_at, requested_at, 1, ''
       FROM consult_consultation""",
]


def report(how_many: int) -> Iterator[str]:
    """So many people wait, and so many were served before. Raises CannotStart, Unexpected."""
    waits, served = rows.clinics(2)
    crowd(waits, how_many)
    crowd(served, how_many)
    (doctor,) = rows.doctors(served, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in FINISHED:
            cursor.execute(statement, {"clinic": served.pk, "doctor": doctor.pk})
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM FULL")
        cursor.execute("ANALYZE")
    yield from _sizes()
    large = set(_large_tables())
    for operation in OPERATIONS:
        counts = count(operation, settings.ALLOWED_HOSTS[0], CSRF)
        asked = [text for text in counts.statements if not text.lstrip().startswith(BRACKETS)]
        yield f"\n{operation.name}: {len(asked)} statements"
        for statement in asked:
            yield from _plan(statement, large)


def _sizes() -> Iterator[str]:
    """Bytes of one row, with the share of each index."""
    yield "| table | rows | bytes a row | of them indexes | a consultation |"
    yield "|---|--:|--:|--:|--:|"
    total = 0.0
    for table in TABLES:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT COUNT(*), pg_total_relation_size('{table}'), pg_indexes_size('{table}')"
                f" FROM {table}"
            )
            there, size, indexes = cursor.fetchone()
        each = size / max(there, 1)
        of_one = each * PER_CONSULTATION.get(table, 1)
        total += of_one
        yield f"| {table} | {there:,} | {each:.0f} | {indexes / max(there, 1):.0f} | {of_one:.0f} |"
    yield f"| together | | | | {total:.0f} |"


def _large_tables() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s", [LARGE]
        )
        yield from (name for (name,) in cursor.fetchall())


def _plan(statement: str, large: set[str]) -> Iterator[str]:
    """One line: what PostgreSQL expects it to cost and how it finds its rows; a walk is marked."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    nodes = list(_nodes(plan))
    walks = [
        node["Relation Name"]
        for node in nodes
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in large
    ]
    ways = sorted({node["Index Name"] for node in nodes if "Index Name" in node})
    asked = " ".join(COLUMN_LIST.sub("SELECT … FROM", statement).split())[:90]
    mark = f"WALKS {', '.join(walks)} · " if walks else ""
    yield f"  {plan['Total Cost']:>10.1f}  {mark}{asked}  by {', '.join(ways) or '–'}"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
