"""What must be true after any trouble, read from the database, the gateway and the open pages."""

import time
from itertools import pairwise

import httpx
from django.conf import settings
from django.db import connection

from accounts.models import AuditEvent, Message
from consult.models import ChatMessage, Consultation, Prescription
from queues.models import Clinic, Token
from tests.factories import a_user
from tests.faults.crowd import QUESTION, Crowd, PatientAtHome
from tests.faults.machine import Machine
from tests.running import SOON, session_of

CONVERGES_WITHIN = 15  # seconds after the trouble is over
# Seconds: a claim that died is taken over after 60, by a sweep every 15, and a busy machine takes its time.
SENT_WITHIN = 200


def pages_converge(crowd: Crowd, within: float = CONVERGES_WITHIN) -> None:
    """From now on no open page says for longer than `within` seconds what the database says no more."""
    connection.close()  # of this thread: the database may be another one than it was
    behind: dict[str, float] = {}
    while crowd.is_busy:
        now = time.monotonic()
        wrong = {patient.uid: words for patient, words in _that_differ(crowd)}
        behind = {uid: behind.get(uid, now) for uid in wrong}  # unless it moved on meanwhile
        for uid, since in behind.items():
            late = now - since > within
            assert not late, f"A page stays behind: {wrong[uid]}; {dict(crowd.troubles())}"
        time.sleep(0.5)


def _that_differ(crowd: Crowd) -> list[tuple[PatientAtHome, str]]:
    """Open pages that show something else than the database holds."""
    open_pages = [patient for patient in crowd.patients if patient.is_open]
    rows = Consultation.objects.filter(uid__in=[patient.uid for patient in open_pages])
    truth = {str(row.uid): row for row in rows.select_related("token")}
    issued = dict(
        Prescription.objects.filter(consultation__in=rows, state="issued").values_list(
            "consultation__uid", "number"
        )
    )
    chat: dict[str, list[int]] = {}
    for uid, pk in ChatMessage.objects.filter(consultation__in=rows).values_list(
        "consultation__uid", "pk"
    ):
        chat.setdefault(str(uid), []).append(pk)
    different = []
    for patient in open_pages:
        row, page = truth[patient.uid], patient.page
        shown = (page.state, page.token, page.issued.removesuffix("…"), page.messages)
        token = row.token.state if row.token else None
        there = (row.state, token, issued.get(row.uid, ""), chat.get(patient.uid, []))
        if shown != there:
            different.append((patient, f"{patient.uid} shows {shown}, but it is {there}"))
    return different


def everybody_was_seen(crowd: Crowd) -> None:
    """Nobody lost the place, and nobody was with two doctors or called out of turn."""
    uids = [patient.uid for patient in crowd.patients]
    seen = Consultation.objects.filter(uid__in=uids).select_related("token")
    states = {(one.state, one.token.state if one.token else None) for one in seen}
    assert states == {("completed", "done")}, states
    for clinic in Clinic.objects.filter(tokens__isnull=False).distinct():
        tokens = Token.objects.filter(clinic=clinic)
        numbers = list(tokens.order_by("day", "number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        _called_in_turn(list(tokens.filter(passes=0)), doctors=len(crowd.doctors))
    begun = AuditEvent.objects.filter(action="consultation.begin").values_list("target", flat=True)
    assert len(begun) == len(set(begun)), "A consultation was begun twice."
    _nobody_is_in_two_rooms()


def _called_in_turn(tokens: list[Token], doctors: int) -> None:
    """By number; doctors who call at the same moment may overtake each other by one each."""
    by_call = sorted(tokens, key=lambda token: token.called_at or token.issued_at)
    by_number = sorted(tokens, key=lambda token: token.number)
    places = {token.pk: place for place, token in enumerate(by_number)}
    jumps = [places[token.pk] - place for place, token in enumerate(by_call)]
    assert max(map(abs, jumps), default=0) <= doctors, [token.number for token in by_call]


def _nobody_is_in_two_rooms() -> None:
    """The times in which a doctor had somebody do not overlap."""
    rows = Token.objects.filter(state="done").order_by("doctor", "called_at")
    for one, after in pairwise(rows):
        if one.doctor_id == after.doctor_id and one.ended_at and after.called_at:
            assert one.ended_at <= after.called_at, (one, after)


def every_paper_is_there(machine: Machine, crowd: Crowd) -> None:
    """Each issued prescription is the only one in force and has its PDF."""
    in_force = Prescription.objects.filter(state="issued")
    assert len({one.consultation_id for one in in_force}) == len(in_force) == len(crowd.patients)
    for one in in_force:
        stored = machine.folder / "files" / one.pdf.name
        assert stored.read_bytes().startswith(b"%PDF"), one.number


def every_sms_was_sent(machine: Machine, *, again: int = 0) -> None:
    """Each row once. `again`: how many may have been sent more than once, each as often as tried.

    Whoever was killed between the gateway's answer and the mark leaves a row that is sent again
    (docs/faults.md); it is never sent without a try that is written down.
    """
    until = time.monotonic() + SENT_WITHIN
    while Message.objects.exclude(state="sent").exists() and time.monotonic() < until:
        time.sleep(0.5)
    assert list(Message.objects.exclude(state="sent").values_list("pk", "state", "error")) == []
    sent, rows = machine.times_sent(), dict(Message.objects.values_list("pk", "attempts"))
    assert set(sent) == set(rows)
    twice = {pk: times for pk, times in sent.items() if times > 1}
    assert len(twice) <= again, twice
    assert all(times <= rows[pk] for pk, times in sent.items()), (twice, rows)


def every_message_is_there_once(crowd: Crowd) -> None:
    for patient in crowd.patients:
        words = ChatMessage.objects.filter(consultation__uid=patient.uid).order_by("pk")
        stored = list(words.values_list("text", flat=True))
        assert sorted(stored) == sorted([*patient.said, QUESTION])
        # Something may have come after the last look: what was read was read in order, and once.
        assert patient.page.messages == sorted(set(patient.page.messages))


def a_stranger_is_refused_everywhere(machine: Machine, crowd: Crowd) -> None:
    stranger = session_of(a_user())
    for web in machine.parts["web"]:
        answer = httpx.get(
            f"http://127.0.0.1:{web.port}/consultations/{crowd.patients[0].uid}/",
            headers={"Host": machine.url.removeprefix("http://")},
            cookies={settings.SESSION_COOKIE_NAME: stranger},
            timeout=SOON,
        )
        assert answer.status_code == 404


def all_hold(machine: Machine, crowd: Crowd, *, again: int = 0) -> None:
    connection.close()
    print(f"Tried again on the way: {dict(crowd.troubles())}")
    everybody_was_seen(crowd)
    every_message_is_there_once(crowd)
    every_paper_is_there(machine, crowd)
    every_sms_was_sent(machine, again=again)
    a_stranger_is_refused_everywhere(machine, crowd)
