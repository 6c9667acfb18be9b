"""Who waits where, and what moves their places."""

import time
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction

from bench import rows
from bench.live.bare import FIRST
from bench.live.lean_sockets import Target
from consult.models import Consultation
from queues.actions import leave_line
from queues.line import turns
from queues.models import Clinic, Token


@dataclass
class Scene:
    """Lines of people with their pages; before them, people who will leave one by one."""

    clinics: list[Clinic]
    heads: list[list[Token]]  # per line, the next to leave last
    pages: list[list[tuple[Consultation, str]]]  # per line: case and session
    begun_with: int  # heads in each line
    committed: dict[tuple[int, int], float] = field(default_factory=dict)  # by line and change

    def change(self, line: int = 0) -> None:
        """The first of the line leaves it: everybody behind moves up by one."""
        token = self.heads[line].pop()
        with transaction.atomic():
            number = self.begun_with - len(self.heads[line])
            transaction.on_commit(lambda: self._note(line, number))
            leave_line(token=token)

    def _note(self, line: int, number: int) -> None:
        self.committed[line, number] = time.monotonic()

    def targets(self, port: int, origin: str) -> list[Target]:
        return [
            Target(
                line=line,
                port=port,
                path=f"/ws/consultations/{case.uid}/",
                origin=origin,
                cookie=f"{settings.SESSION_COOKIE_NAME}={session}",
                first=self.begun_with + place,
            )
            for line, pages in enumerate(self.pages)
            for place, (case, session) in enumerate(pages)
        ]

    def bare_targets(self, port: int) -> list[Target]:
        """As many sockets that all get the same number."""
        origin = f"http://127.0.0.1:{port}"
        return [Target(0, port, "/", origin, "none=", FIRST) for pages in self.pages for _ in pages]


def waiting_room(lines: int, people: int, heads: int) -> Scene:
    """So many lines with so many pages each; `heads` changes are possible in each line."""
    clinics = rows.clinics(lines)
    scene = Scene(clinics, [], [], heads)
    for clinic in clinics:
        accounts = rows.users(heads + people)
        cases = rows.waiting(rows.patients(accounts), clinic)
        tokens = Token.objects.filter(clinic=clinic)
        tokens.update(priority=Token.Priority.ORDINARY)
        by_token = {case.token_id: case for case in cases}
        in_order = [by_token[pk] for pk in turns(clinic)]
        own = dict(zip((account.pk for account in accounts), rows.sessions(accounts), strict=True))
        scene.heads.append([case.token for case in reversed(in_order[:heads])])
        scene.pages.append([(case, own[case.patient.account_id]) for case in in_order[heads:]])
    rows.analyse()
    return scene
