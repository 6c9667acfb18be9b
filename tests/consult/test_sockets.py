"""Real sockets against the running site: who is let in, what they are told, what they survive."""

import asyncio
import contextlib
import time
import uuid
from functools import partial

import httpx
import pytest
import redis
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.broadcast import signed_out
from accounts.models import AuditEvent, User
from consult import actions
from consult.models import Consultation
from esanjeevani.asgi import application
from esanjeevani.live.database import in_database
from esanjeevani.live.hub import hub
from queues.board import boards
from queues.models import Clinic, Presence, Token
from tests.dropped import Waiting, dropped_at_once
from tests.factories import (
    a_clinic,
    a_doctor,
    a_doctors_form,
    a_draft,
    a_patient,
    a_user,
    called,
    in_the_room,
    on_duty,
    the_formulary,
    waiting,
)
from tests.open_pages import other, page, path, patients_page, room
from tests.running import SOON, Site, browser_of, post, session_of


@pytest.fixture
def clinic(site: Site) -> Clinic:
    return a_clinic()


@pytest.fixture
def rao(clinic: Clinic):
    return on_duty(clinic)


# --- who is let in ------------------------------------------------------------------------------
def test_a_stranger_is_closed_out_with_a_code_and_written_down(site: Site, clinic, rao):
    consultation, stranger, das = waiting(clinic), a_user(), on_duty(clinic, a_doctor())
    for user, staff in [(stranger, False), (das.user, True)]:
        with page(site.url, room(consultation), user, staff=staff) as socket:
            assert socket.closed_with() == 4404
        refused = AuditEvent.objects.get(by=user, refused=True)
        assert refused.action == "consultation.socket"
        assert refused.target == f"consultation:{consultation.uid}"


def test_who_is_signed_out_or_has_one_factor_or_asks_for_nothing_is_closed_out(
    site: Site, clinic, rao
):
    consultation = in_the_room(clinic, rao)
    nothing = f"/ws/consultations/{uuid.uuid4()}/"
    for path_, user, staff in [
        (room(consultation), None, False),
        (room(consultation), rao.user, False),
        (nothing, rao.user, True),
        ("/ws/desk/", None, False),
        ("/ws/desk/", rao.user, False),
        ("/ws/desk/", consultation.patient.account, False),
    ]:
        with page(site.url, path_, user, staff=staff) as socket:
            assert socket.closed_with() == 4404


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", None])
def test_a_page_of_another_site_gets_no_socket(site: Site, clinic, rao, origin):
    consultation = waiting(clinic)
    with (
        pytest.raises(InvalidStatus) as refused,
        page(site.url, room(consultation), consultation.patient.account, origin=origin),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_whoever_may_is_told_hello_with_the_state_as_it_is(site: Site, clinic, rao):
    consultation = waiting(clinic)
    with patients_page(site.url, consultation) as patient:
        assert patient.hear("hello") == {
            "type": "hello", "state": "requested", "token": "waiting", "issued": "", "phone": False,
            "parts": "0.0.0.0.0.0", "message": 0,
        }  # fmt: skip
        assert patient.hear("place")["ahead"] == 0
    called(clinic, rao)
    with page(site.url, room(consultation), rao.user, staff=True) as doctor:
        assert doctor.hear("hello", token="called")["state"] == "requested"
    with page(site.url, "/ws/desk/", rao.user, staff=True) as desk:
        hello = {"type": "hello", "own": f"{consultation.token_id}called", "duties": str(clinic.pk)}
        assert desk.hear("hello") == hello


# --- the line -----------------------------------------------------------------------------------
def test_the_place_moves_when_somebody_before_leaves_and_when_somebody_is_called(
    site: Site, clinic, rao
):
    first, second, third = waiting(clinic), waiting(clinic), waiting(clinic)
    with patients_page(other(site), third) as patient:
        place = patient.hear("place", ahead=2)
        assert place == {
            "type": "place", "token": third.token_id, "ahead": 2, "doctors": 1, "low": 5, "high": 23,
        }  # fmt: skip
        with browser_of(first.patient.account, site.url) as leaving:
            post(leaving, path("visit", first), path("leave", first))
        assert patient.hear("place", ahead=1)["low"] == 1
        with browser_of(rao.user, site.url, staff=True) as desk:
            post(desk, "/doctor/", "/doctor/call/", clinic=str(clinic.uid))
            assert patient.hear("place", ahead=0)["doctors"] == 1
            post(desk, "/doctor/", "/doctor/duty/end/")
        assert patient.hear("place", doctors=0) == {
            "type": "place", "token": third.token_id, "ahead": 0, "doctors": 0, "low": None,
            "high": None,
        }  # fmt: skip
    second.refresh_from_db()
    assert second.token.state == "called"


def test_who_is_called_is_told_at_once_and_the_desk_when_the_line_changes(site: Site, clinic, rao):
    consultation = waiting(clinic)
    with (
        patients_page(other(site), consultation) as patient,
        page(other(site), "/ws/desk/", rao.user, staff=True) as doctor,
        browser_of(rao.user, site.url, staff=True) as desk,
        browser_of(consultation.patient.account, site.url) as phone,
    ):
        patient.hear("place")
        doctor.hear("line")
        post(desk, "/doctor/", "/doctor/call/", clinic=str(clinic.uid))
        assert patient.hear("token") == {"type": "token", "state": "called"}
        doctor.hear("line")
        post(phone, path("visit", consultation), path("answer", consultation))
        assert patient.hear("state") == {"type": "state", "state": "in_progress"}


def test_somebody_new_in_the_line_shows_at_the_desk(site: Site, clinic, rao):
    draft = a_draft(clinic)
    with (
        page(other(site), "/ws/desk/", rao.user, staff=True) as doctor,
        browser_of(draft.patient.account, site.url) as phone,
    ):
        doctor.hear("line")
        post(phone, path("confirm", draft), path("confirm", draft), consent="on")
        doctor.hear("line")


def test_an_open_page_is_present_and_a_closed_one_soon_absent(site: Site, clinic, rao):
    consultation = waiting(clinic)
    Presence.objects.all().delete()
    with patients_page(site.url, consultation) as patient:
        patient.hear("place")
        lease = Presence.objects.get(token=consultation.token).until
        with patients_page(site.url, consultation) as second_tab:
            second_tab.hear("place")
        time.sleep(0.5)
        assert Presence.objects.get().until >= lease
    until = time.monotonic() + SOON
    while Presence.objects.get().until >= lease and time.monotonic() < until:
        time.sleep(0.05)
    assert Presence.objects.get().until < lease
    assert Token.objects.present().count() == 1  # a page that reloads is not gone


# --- the room -----------------------------------------------------------------------------------
def test_both_sides_are_told_of_messages_prescription_and_end(site: Site, clinic, rao):
    the_formulary()
    consultation = in_the_room(clinic, rao)
    messages = path("messages", consultation)
    with (
        patients_page(site.url, consultation) as patient,
        page(other(site), room(consultation), rao.user, staff=True) as doctor,
        browser_of(consultation.patient.account, site.url) as phone,
        browser_of(rao.user, other(site), staff=True) as desk,
    ):
        for side in (patient, doctor):
            side.hear("hello", state="in_progress", token="serving")
        phone.get(path("visit", consultation))
        answer = phone.post(
            messages,
            json={"client_id": str(uuid.uuid4()), "text": "Hello"},
            headers={"X-CSRFToken": phone.cookies["csrftoken"]},
        )
        assert answer.status_code == 201
        for side in (patient, doctor):
            assert side.hear("message") == {"type": "message", "id": answer.json()["id"]}
        form = a_doctors_form(actions.Line("Zinc", "tablet", "20 mg", "1", "od", 14))
        save = path("save", consultation)
        post(desk, path("doctors_room", consultation), save, **form, issue="1")
        for side in (patient, doctor):
            assert side.hear("prescription") == {"type": "prescription"}
        post(desk, path("doctors_room", consultation), save, **a_doctors_form(), finish="1")
        for side in (patient, doctor):
            assert side.hear("state") == {"type": "state", "state": "completed"}


def test_what_is_told_names_nobody_and_says_nothing_of_the_talk(site: Site, clinic, rao):
    consultation = in_the_room(clinic, rao)
    with patients_page(site.url, consultation) as patient:
        patient.hear("hello")
        with browser_of(consultation.patient.account, site.url) as phone:
            post(
                phone,
                path("visit", consultation),
                path("post_message", consultation),
                client_id=str(uuid.uuid4()),
                text="A secret",
            )
        assert patient.hear("message").keys() == {"type", "id"}


# --- losing the right ---------------------------------------------------------------------------
def test_signing_out_closes_the_open_pages_of_that_session_and_of_no_other(site: Site, clinic, rao):
    consultation = waiting(clinic)
    account = consultation.patient.account
    phone, tablet = browser_of(account, site.url), browser_of(account, site.url)
    stays = tablet.cookies[settings.SESSION_COOKIE_NAME]
    goes = phone.cookies[settings.SESSION_COOKIE_NAME]
    with (
        phone,
        tablet,
        page(other(site), room(consultation), session=goes) as of_phone,
        page(other(site), room(consultation), session=stays) as of_tablet,
    ):
        for one in (of_phone, of_tablet):
            one.hear("place")
        post(phone, "/", "/sign-out/")
        assert of_phone.closed_with() == 4401
        post(tablet, path("visit", consultation), path("leave", consultation))
        assert of_tablet.hear("state")["state"] == "cancelled"


def closes_the_account(user: User) -> None:
    user.is_active = False
    user.save()


def takes_a_new_password(user: User) -> None:
    user.set_password("another long sentence")
    user.save()


@pytest.mark.redis
@pytest.mark.parametrize("what", [closes_the_account, takes_a_new_password])
def test_who_loses_the_account_or_its_password_loses_the_open_pages(site: Site, clinic, rao, what):
    consultation = in_the_room(clinic, rao)
    with (
        page(site.urls[0], room(consultation), rao.user, staff=True) as talk,
        page(site.urls[-1], "/ws/desk/", rao.user, staff=True) as desk,
    ):
        for one in (talk, desk):
            one.hear("hello")
        signed_out(rao.user)
        what(rao.user)
        signed_out(rao.user)
        for one in (talk, desk):
            assert one.closed_with() == 4401


# --- clients that behave badly ------------------------------------------------------------------
def test_nonsense_floods_and_oversize_cut_off_the_sender_and_hurt_nobody_else(
    site: Site, clinic, rao
):
    consultation, account = waiting(clinic), a_patient().account
    mine = waiting(clinic, a_patient(account))
    with patients_page(site.url, consultation) as bystander:
        bystander.hear("place", ahead=0)
        with page(site.url, room(mine), account) as mild:
            for nonsense in ("{", "ping", b"\x00\xff", '{"type": "state"}', "[]", "null"):
                mild.socket.send(nonsense)
            mild.hear("place", ahead=1)
        for flood, code in [(["x" * 1025] * 21, 4408), (["x"] * 21, 4408), (["x" * 100_000], None)]:
            with page(site.url, room(mine), account) as wild:
                wild.hear("hello")
                with contextlib.suppress(ConnectionClosed):
                    for message in flood:
                        wild.socket.send(message)
                assert wild.closed_with() in ({code} if code else {4408, 1009, 1006})
        with browser_of(account, site.url) as phone:
            post(phone, path("visit", mine), path("leave", mine))
        with browser_of(rao.user, site.url, staff=True) as desk:
            post(desk, "/doctor/", "/doctor/call/", clinic=str(clinic.uid))
        assert bystander.hear("token")["state"] == "called"
    assert httpx.get(f"{site.url}/healthz", timeout=SOON).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_a_page_that_is_gone_nothing_stays_in_the_process(settings):
    settings.IN_MEMORY = True
    clinic = a_clinic()
    on_duty(clinic)
    consultation = waiting(clinic)
    cookie = f"{settings.SESSION_COOKIE_NAME}={session_of(consultation.patient.account)}"
    headers = [(b"cookie", cookie.encode()), (b"origin", settings.SITE_URL.encode())]

    async def scene() -> None:
        tabs = [WebsocketCommunicator(application, room(consultation), headers) for _ in range(2)]
        for tab in tabs:
            assert await tab.connect(timeout=SOON) == (True, None)
            assert (await tab.receive_json_from(SOON))["type"] == "hello"
            assert (await tab.receive_json_from(SOON))["type"] == "place"
        assert set(boards().tokens()) == {consultation.token_id}
        await tabs[0].disconnect(timeout=SOON)
        assert set(boards().tokens()) == {consultation.token_id}
        await tabs[1].disconnect(timeout=SOON)
        assert (set(boards().tokens()), hub()._topics, hub()._joined) == (set(), {}, {})
        await in_database(connections.close_all)

    asyncio.run(scene())


def test_all_who_are_cut_off_at_once_are_back_with_their_own_place(site: Site, clinic, rao):
    first = waiting(clinic)
    pages = [Waiting(waiting(clinic)) for _person in range(25)]
    Presence.objects.all().delete()
    url = other(site)

    socket_url = url.replace("http", "ws", 1)
    with browser_of(first.patient.account, site.url) as phone:
        leaves = partial(post, phone, path("visit", first), path("leave", first))
        asyncio.run(dropped_at_once(pages, lambda: socket_url, url, leaves))
    assert {page.told["hello"]["token"] for page in pages} == {"waiting"}
    assert [page.told["place"]["token"] for page in pages] == [page.token_id for page in pages]
    assert Token.objects.waiting().present().count() == len(pages)


# --- Redis --------------------------------------------------------------------------------------
@pytest.mark.redis
@pytest.mark.parametrize("trouble", ["flush", "lost connection"])
def test_when_redis_forgets_or_hangs_up_pages_still_hear_what_comes_later(
    site: Site, clinic, rao, trouble: str
):
    first, second = waiting(clinic), waiting(clinic)
    with (
        patients_page(site.urls[0], second) as patient,
        patients_page(site.urls[-1], second) as elsewhere,
        redis.Redis.from_url(settings.REDIS_URL) as server,
    ):
        for one in (patient, elsewhere):
            one.hear("place", ahead=1)
        if trouble == "flush":
            server.flushall()
        else:
            server.client_kill_filter(_type="pubsub")
            for one in (patient, elsewhere):
                one.hear("resync")
        with browser_of(first.patient.account, site.url) as leaving:
            post(leaving, path("visit", first), path("leave", first))
        for one in (patient, elsewhere):
            one.hear("place", ahead=0)
        with browser_of(rao.user, site.url, staff=True) as desk:
            post(desk, "/doctor/", "/doctor/call/", clinic=str(clinic.uid))
        for one in (patient, elsewhere):
            assert one.hear("token")["state"] == "called"


# --- what was announced and never came ------------------------------------------------------------
def test_a_page_that_was_told_nothing_is_told_how_it_is(site: Site, clinic, rao):
    """Whoever wrote it died before it could say so: here it is written past all announcements."""
    consultation = waiting(clinic)
    with patients_page(site.url, consultation) as patient:
        patient.hear("hello", state="requested", token="waiting")
        Token.objects.update(state="called", doctor=rao, called_at=timezone.now())
        patient.hear("now", state="requested", token="called")
        Token.objects.update(state="serving")
        Consultation.objects.update(state="in_progress", doctor=rao, started_at=timezone.now())
        patient.hear("now", state="in_progress", token="serving")


def test_a_line_that_moved_unheard_is_told_to_desk_and_patient(site: Site, clinic, rao):
    first, second = waiting(clinic), waiting(clinic)
    with (
        patients_page(site.url, second) as patient,
        page(site.url, "/ws/desk/", rao.user, staff=True) as desk,
    ):
        patient.hear("place", ahead=1)
        desk.hear("line")
        desk.falls_silent()
        Token.objects.filter(consultation=first).update(state="left", ended_at=timezone.now())
        patient.hear("place", ahead=0)
        desk.hear("line")
