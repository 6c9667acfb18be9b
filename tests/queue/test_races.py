"""Several processes at once: numbers are gap-free, patients are not shared."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from queues.models import Presence, Token
from tests.factories import (
    a_clinic,
    a_doctor,
    a_draft,
    a_patient,
    on_duty,
    waiting,
)
from tests.running import Site, browser_of, post

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


def test_300_tokens_from_two_processes_are_numbered_without_gap_or_double(site: Site) -> None:
    clinic = a_clinic(daily_limit=1000, waiting_limit=1000)
    on_duty(clinic)
    drafts = [a_draft(clinic, a_patient(name=f"Patient {n}")) for n in range(300)]

    browsers = [
        browser_of(draft.patient.account, site.urls[n % len(site.urls)])
        for n, draft in enumerate(drafts)
    ]

    def take(number: int) -> int:
        path = f"/consultations/{drafts[number].uid}/confirm/"
        with browsers[number] as client:
            return post(client, path, path, consent="on").status_code

    with ThreadPoolExecutor(8) as clients:
        statuses = Counter(clients.map(take, range(300)))

    assert statuses == {302: 300}
    assert len(site.urls) >= 2
    numbers = (
        Token.objects.filter(clinic=clinic).order_by("number").values_list("number", flat=True)
    )
    assert list(numbers) == list(range(1, 301))


def test_one_patient_who_clicks_in_two_tabs_gets_one_token(site: Site) -> None:
    clinic = a_clinic()
    on_duty(clinic)
    draft = a_draft(clinic)
    path = f"/consultations/{draft.uid}/confirm/"

    tabs = [browser_of(draft.patient.account, url) for url in site.urls * 4]

    def take(tab: httpx.Client) -> int:
        with tab:
            return post(tab, path, path, consent="on").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(take, tabs))

    assert set(statuses) <= {302, 200}  # 200: the page was asked for when the case was sent already
    assert [token.number for token in Token.objects.filter(clinic=clinic)] == [1]


def test_ten_doctors_calling_from_one_line_of_200_never_share_a_patient(site: Site) -> None:
    clinic = a_clinic(daily_limit=1000, waiting_limit=1000)
    doctors = [on_duty(clinic, a_doctor()) for _ in range(10)]
    for n in range(200):
        waiting(clinic, a_patient(name=f"Patient {n}"))
    Presence.renew(Token.objects.values_list("pk", flat=True), Presence.LEASE * 10)
    desks = [
        browser_of(doctor.user, site.urls[n % len(site.urls)], staff=True)
        for n, doctor in enumerate(doctors)
    ]

    def call_twice(desk: httpx.Client) -> None:
        """A double click of every doctor: at most one patient each."""
        page = desk.get("/doctor/").text
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert csrf
        for _click in range(2):
            desk.post(
                "/doctor/call/",
                data={"csrfmiddlewaretoken": csrf[1], "clinic": str(clinic.uid)},
            )

    served: list[int] = []
    while Token.objects.waiting().exists():
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(call_twice, desks))
        held = Token.objects.held().values_list("doctor_id", "number")
        assert max(Counter(doctor for doctor, _number in held).values()) == 1
        served += [number for _doctor, number in held]
        for token in Token.objects.held():
            token.answer()
            token.finish()
    for desk in desks:
        desk.close()

    assert sorted(served) == list(range(1, 201))
