"""How PostgreSQL answers what people ask most, once the tables are large, and what a row of each weighs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from bench import rows
from bench.client import Unexpected
from bench.counts import BRACKETS, count
from bench.limits.crowd import crowd
from bench.operations import OPERATIONS
from bench.pages import PAGES
from bench.report import COLUMN_LIST
from esanjeevani.celery_app import app as celery

CSRF = "a" * 32
DOCTORS = 1_000  # who have served them, by turns
MUCH = 500  # blocks of 8 kB for one statement
LARGE = 10_000  # rows: to read such a table from end to end is a mistake
TABLES = [
    "accounts_user", "accounts_patient", "queue_token", "queue_presence", "consult_consultation",
    "consult_consent", "accounts_auditevent", "accounts_message",
]  # fmt: skip
PER_CONSULTATION = {"accounts_auditevent": 12, "accounts_message": 2}  # rows; one of the others
FINISHED = [
    """UPDATE queue_token SET state = 'done', doctor_id = %(doctor)s + number %% %(doctors)s,
         called_at = issued_at, answered_at = issued_at, ended_at = issued_at + interval '7 minutes'
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
    _fill(how_many)
    yield from _sizes()
    asked = dict(_asked())
    large = set(_large_tables())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum would have done for the rows of the last minutes
    for name, statements in asked.items():
        plans = [_plan(text) for text in statements if not text.lstrip().startswith(BRACKETS)]
        yield f"\n{name}: {len(plans)} statements, {sum(plan.blocks for plan in plans):,} blocks"
        yield from (plan.line(large) for plan in plans)


def _fill(how_many: int) -> None:
    waits, served = rows.clinics(2)
    crowd(waits, how_many)
    crowd(served, how_many)
    doctors = rows.doctors(served, DOCTORS)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in FINISHED:
            cursor.execute(
                statement, {"clinic": served.pk, "doctor": doctors[0].pk, "doctors": DOCTORS}
            )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM FULL")
        cursor.execute("ANALYZE")


def _asked() -> Iterator[tuple[str, list[str]]]:
    """The statements of each operation and page, and of each sweep."""
    for operation in [*OPERATIONS, *PAGES]:
        yield operation.name, count(operation, settings.ALLOWED_HOSTS[0], CSRF).statements
    celery.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        with CaptureQueriesContext(connection) as captured:
            celery.tasks[entry["task"]]()
        yield (
            f"every {entry['schedule']:.0f} s: {entry['task']}",
            [query["sql"] for query in captured],
        )


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


@dataclass(frozen=True)
class Plan:
    """One statement, and what PostgreSQL did for it."""

    statement: str
    nodes: list[dict[str, Any]]  # the first is the whole

    @property
    def blocks(self) -> int:
        """Of 8 kB, read from memory or disk; 0 where it could not be run a second time."""
        return sum(int(self.nodes[0].get(f"Shared {how} Blocks", 0)) for how in ("Hit", "Read"))

    def line(self, large: set[str]) -> str:
        """A table that is read from end to end is marked, and so is what reads as much in another way."""
        walks = [
            node["Relation Name"]
            for node in self.nodes
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in large
        ]
        ways = sorted({node["Index Name"] for node in self.nodes if "Index Name" in node})
        asked = " ".join(COLUMN_LIST.sub("SELECT … FROM", self.statement).split())[:90]
        mark = f"WALKS {', '.join(walks)} · " if walks else "MUCH · " if self.blocks > MUCH else ""
        return f"  {self.blocks:>7,}  {mark}{asked}  by {', '.join(ways) or '–'}"


def _plan(statement: str) -> Plan:
    """Run and undone; only explained where it cannot be done twice."""
    for options in ("ANALYZE, BUFFERS, FORMAT JSON", "FORMAT JSON"):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN ({options}) {statement}")
                found = cursor.fetchone()[0]
                transaction.set_rollback(True)
        except Error:
            continue
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        return Plan(statement, list(_nodes(plan)))
    raise Unexpected(f"Not to be explained: {statement}")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
