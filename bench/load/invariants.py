"""The invariants, looked at from outside: a connection of its own to PostgreSQL, and what people saw.

Each query returns what is broken, so nothing when all is well. `WHILE` holds at every moment of a run,
`AFTER` once everything that was begun has ended and every task is done.
"""

from collections import Counter
from dataclasses import dataclass, field

import psycopg

from bench.load.ledger import Ledger

HOLDS = "('called', 'serving')"
# A call is decided a moment before it is committed, and two doctors decide at once.
SKEW = "interval '2 seconds'"

WHILE = {
    "numbers without gap, each once": """
        SELECT clinic_id, day, count(*), max(number) FROM queue_token GROUP BY clinic_id, day
        HAVING count(*) <> max(number) OR count(DISTINCT number) <> count(*)""",
    "the counter is the last number": """
        SELECT d.clinic_id, d.last_number FROM queue_clinicday d WHERE d.last_number <>
        (SELECT coalesce(max(number), 0) FROM queue_token t
         WHERE t.clinic_id = d.clinic_id AND t.day = d.day)""",
    "no patient with two doctors": f"""
        SELECT patient_id, count(*) FROM queue_token WHERE state IN {HOLDS}
        GROUP BY patient_id HAVING count(*) > 1""",
    "no doctor with two patients": f"""
        SELECT doctor_id, count(*) FROM queue_token WHERE state IN {HOLDS}
        GROUP BY doctor_id HAVING count(*) > 1""",
    "no doctor with two patients at any time": """
        SELECT a.id, b.id FROM queue_token a JOIN queue_token b
        ON a.doctor_id = b.doctor_id AND a.id < b.id
        AND tstzrange(a.answered_at, coalesce(a.ended_at, now()))
         && tstzrange(b.answered_at, coalesce(b.ended_at, now()))
        WHERE a.answered_at IS NOT NULL AND b.answered_at IS NOT NULL""",
    "a token's state and its consultation's agree": """
        SELECT c.id, c.state, t.state FROM consult_consultation c
        JOIN queue_token t ON t.id = c.token_id WHERE
        (c.state = 'requested' AND t.state NOT IN ('waiting', 'called', 'expired', 'no_show'))
        OR (c.state = 'in_progress' AND t.state <> 'serving')
        OR (c.state = 'completed' AND t.state <> 'done')""",
    "one prescription in force per consultation": """
        SELECT consultation_id, count(*) FROM consult_prescription WHERE state = 'issued'
        GROUP BY consultation_id HAVING count(*) > 1""",
    "each prescription number once": """
        SELECT number, version, count(*) FROM consult_prescription WHERE number <> ''
        GROUP BY number, version HAVING count(*) > 1""",
    "a message is stored once": """
        SELECT consultation_id, client_id, count(*) FROM consult_chatmessage
        GROUP BY consultation_id, client_id HAVING count(*) > 1""",
}
IN_ORDER = f"""
    SELECT late.id, late.number, early.number FROM queue_token late JOIN queue_token early
    ON early.clinic_id = late.clinic_id AND early.day = late.day
    AND early.priority = late.priority AND early.number < late.number
    AND early.passes = 0 AND late.passes = 0 AND NOT late.comes_first
    AND early.issued_at < late.called_at - {SKEW} AND early.called_at > late.called_at + {SKEW}
    WHERE NOT early.id = ANY(%s)"""
AFTER = {
    "whoever was sent is done with, or still listed as open": """
        SELECT c.id, c.state FROM consult_consultation c LEFT JOIN queue_token t ON t.id = c.token_id
        WHERE c.state IN ('requested', 'in_progress')
        AND (t.id IS NULL OR t.state NOT IN ('waiting', 'called', 'serving'))""",
    "every SMS is sent": """
        SELECT id, state, attempts, error FROM accounts_message WHERE state <> 'sent'""",
    "every issued prescription has its PDF": """
        SELECT id, number FROM consult_prescription WHERE state = 'issued' AND pdf = ''""",
}
STATES = "SELECT id, state FROM queue_token"
ISSUED = """SELECT p.id, md5(concat_ws('|', p.number, p.version, p.document::text, p.issued_at,
    (SELECT string_agg(concat_ws(',', l.position, l.generic, l.form, l.strength, l.dose,
     l.frequency, l.days, l.instructions), ';' ORDER BY l.position)
     FROM consult_prescriptionline l WHERE l.prescription_id = p.id)))
    FROM consult_prescription p WHERE p.state = 'issued'"""


@dataclass
class Watch:
    """Looks again and again; keeps what it saw before, to hold what it sees next against it."""

    database: str
    ledger: Ledger
    reachable: dict[str, set[str]]  # from each state, over any number of moves
    looks: int = 0
    checks: int = 0
    broken: dict[str, str] = field(default_factory=dict)  # which, with the first example
    states: dict[int, str] = field(default_factory=dict)
    issued: dict[int, str] = field(default_factory=dict)

    def look(self) -> None:
        """At one moment of the run: one snapshot for all queries."""
        with psycopg.connect(self.database) as looking:
            looking.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for name, query in WHILE.items():
                self._none(name, looking.execute(query).fetchall())
            self._moves(dict(looking.execute(STATES).fetchall()))
            self._unchanged(dict(looking.execute(ISSUED).fetchall()))
            self._none("present patients are called in order",
                       looking.execute(IN_ORDER, [self._were_away(looking)]).fetchall())  # fmt: skip
        self.looks += 1

    def look_back(self, received: Counter[str]) -> None:
        """At the end; `received` says how often the gateway got each SMS."""
        self.look()
        with psycopg.connect(self.database) as looking:
            for name, query in AFTER.items():
                self._none(name, looking.execute(query).fetchall())
            there = {str(pk) for (pk,) in looking.execute("SELECT id FROM accounts_message")}
            self._none("every SMS reached the gateway", sorted(there - set(received)))
            twice = [row for row, times in received.items() if times > 1]
            self._none("no SMS went out twice", twice)
            self._talks(looking)
            self._finished(looking)
        for words in self.ledger.broken:
            self._none(f"what people saw: {words.rpartition(' ')[0]}", [words])

    def _none(self, name: str, found: list) -> None:
        self.checks += 1
        if found:
            self.broken.setdefault(name, f"{len(found)}, the first: {found[0]}")

    def _moves(self, now: dict[int, str]) -> None:
        wrong = [
            (pk, before, now.get(pk))
            for pk, before in self.states.items()
            if now.get(pk) != before and now.get(pk) not in self.reachable[before]
        ]
        self._none("a token moves only as NEXT says", wrong)
        self.states = now

    def _unchanged(self, now: dict[int, str]) -> None:
        changed = [pk for pk, was in self.issued.items() if now.get(pk, was) != was]
        self._none("an issued prescription never changes", changed)
        self.issued |= now

    def _were_away(self, looking: psycopg.Connection) -> list[int]:
        """Tokens whose page lost its socket: they may rightly be called later."""
        uids = [uid for uid, told in self.ledger.told.items() if told.was_away]
        query = "SELECT token_id FROM consult_consultation WHERE uid = ANY(%s::uuid[])"
        return [pk for (pk,) in looking.execute(query, [uids])]

    def _talks(self, looking: psycopg.Connection) -> None:
        """What each side was shown is what is stored, in the same order; nothing sent is missing."""
        query = """SELECT c.uid::text, array_agg(m.client_id::text ORDER BY m.id)
            FROM consult_chatmessage m JOIN consult_consultation c ON c.id = m.consultation_id
            GROUP BY c.uid"""
        stored = dict(looking.execute(query).fetchall())
        lost, disordered = [], []
        for uid, told in self.ledger.told.items():
            words = stored.get(uid, [])
            lost += [one for one in told.sent if one not in words]
            for seen in told.talks.values():
                shown = [client_id for _pk, client_id in seen]
                if shown != words[: len(shown)]:
                    disordered.append(uid)
        self._none("every message that was taken is stored", lost)
        self._none("messages are shown in the order stored", disordered)

    def _finished(self, looking: psycopg.Connection) -> None:
        finished = [uid for uid, told in self.ledger.told.items() if told.is_finished]
        query = """SELECT uid::text, state FROM consult_consultation
            WHERE uid = ANY(%s::uuid[]) AND state <> 'completed'"""
        found = looking.execute(query, [finished]).fetchall()
        self._none("what a doctor finished is completed", found)
