"""The socket of a doctor's desk: its lines come over it, row by row; its own part is only announced."""

import asyncio

import pytest
from channels.testing import WebsocketCommunicator
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent
from consult.desk import OwnPart
from consult.live.desk_tips import DeskTip, read_desks
from esanjeevani.asgi import application
from esanjeevani.live.database import in_database
from esanjeevani.live.hub import hub
from queues.desk_board import desk_boards
from queues.models import Duty, Token
from tests.factories import (
    a_clinic,
    a_doctor,
    a_patient,
    a_specialist,
    an_opinion,
    as_staff,
    called,
    in_the_room,
    on_duty,
    waiting,
)
from tests.open_pages import other, page, path
from tests.running import SOON, Site, browser_of, post, session_of

DESK = "/ws/desk/?language=en"


@pytest.fixture
def clinic(site: Site):
    return a_clinic()


@pytest.fixture
def rao(clinic):
    return on_duty(clinic)


def desk_of(url: str, doctor, address: str = DESK):
    return page(url, address, doctor.user, staff=True)


def test_the_line_comes_whole_and_then_only_what_is_new_in_it(site: Site, clinic, rao):
    asha = waiting(clinic, a_patient(name="Asha Menon"), complaint="Chest feels tight")
    with desk_of(other(site), rao) as desk:
        told = desk.hear("line", clinic=str(clinic.uid))
        assert (told["order"], told["present"]) == ([asha.token_id], 1)
        assert told["counts"] == "waiting: 1, on the page: 1"
        assert "Asha Menon" in told["rows"]
        assert "Chest feels tight" in told["rows"]
        ravi = waiting(clinic, a_patient(name="Ravi Das"))
        told = desk.hear("line", order=[asha.token_id, ravi.token_id])
        assert "Ravi Das" in told["rows"]
        assert "Asha Menon" not in told["rows"]
        with browser_of(asha.patient.account, site.url) as leaving:
            post(leaving, path("visit", asha), path("leave", asha))
        told = desk.hear("line", order=[ravi.token_id])
        assert told["rows"] == ""


def test_two_doctors_see_the_same_line_each_in_their_language(site: Site, clinic, rao):
    das = on_duty(clinic, a_doctor())
    asha = waiting(clinic)
    with (
        desk_of(site.url, rao) as english,
        desk_of(site.url, das, "/ws/desk/?language=hi") as hindi,
        desk_of(site.url, das, "/ws/desk/?language=%FF") as unknown,
    ):
        assert "waiting: 1" in english.hear("line", order=[asha.token_id])["counts"]
        assert "इंतज़ार में: 1" in hindi.hear("line", order=[asha.token_id])["counts"]
        assert "waiting: 1" in unknown.hear("line", order=[asha.token_id])["counts"]


def test_the_desk_hears_that_its_patient_comes_in_or_is_no_longer_waited_for(
    site: Site, clinic, rao
):
    case, das = waiting(clinic), on_duty(clinic, a_doctor())
    called(clinic, rao)
    with (
        desk_of(other(site), rao) as desk,
        desk_of(other(site), das) as colleague,
        browser_of(rao.user, site.url, staff=True) as browser,
        browser_of(case.patient.account, site.url) as phone,
    ):
        assert desk.hear("hello")["own"] == f"{case.token_id}called"
        post(browser, "/doctor/", path("pass_over", case))
        desk.hear("token", state="waiting")
        post(browser, "/doctor/", "/doctor/call/", clinic=str(clinic.uid))
        desk.hear("token", state="called")
        post(phone, path("visit", case), path("answer", case))
        desk.hear("token", state="serving")
        colleague.hear("hello")
        colleague.hear("line", order=[])
        with pytest.raises(AssertionError, match="Not told token"):
            colleague.hear("token", within=1)


def test_of_free_doctors_one_is_asked_for_each_patient_and_all_if_nobody_calls(
    site: Site, clinic, rao
):
    das = on_duty(clinic, a_doctor())
    with desk_of(site.url, rao) as first:
        first.hear("line", order=[])
        with (
            desk_of(site.url, das) as second,
            browser_of(rao.user, site.url, staff=True) as browser,
        ):
            second.hear("line", order=[])
            asha = waiting(clinic)
            assert not first.hear("line", order=[asha.token_id])["others_first"]
            assert second.hear("line", order=[asha.token_id])["others_first"]
            assert not second.hear("line", order=[asha.token_id])["others_first"]
            post(browser, "/doctor/", "/doctor/call/", clinic=str(clinic.uid))
            first.hear("token", state="called")
            ravi = waiting(clinic)
            assert not second.hear("line", order=[ravi.token_id])["others_first"]


def test_what_a_colleague_asks_is_announced_where_it_is_asked(site: Site, clinic, rao):
    case, skin = in_the_room(clinic, rao), a_clinic(name="Skin OPD")
    das, asked = (
        a_specialist(skin),
        {"opinion-clinic": str(skin.uid), "opinion-question": "Eczema?"},
    )
    with (
        desk_of(other(site), das) as desk,
        browser_of(rao.user, site.url, staff=True) as browser,
    ):
        assert desk.hear("hello")["own"] == ""
        post(browser, path("doctors_room", case), path("ask_opinion", case), **asked)
        desk.hear("asked")
        page = as_staff(das.user).get("/doctor/own/")
        assert "Eczema?" in page.text


def test_what_was_not_announced_is_told_all_the_same(site: Site, clinic, rao):
    case = waiting(clinic)
    with desk_of(site.url, rao) as desk:
        assert desk.hear("hello", own="")["duties"] == str(clinic.pk)
        desk.hear("line", order=[case.token_id])
        Token.objects.update(state="called", doctor=rao, called_at=timezone.now())
        desk.hear("now", own=f"{case.token_id}called")
        desk.hear("line", order=[])
        Duty.objects.update(paused_at=timezone.now())
        desk.hear("now", duties=f"{clinic.pk}p")


@pytest.mark.django_db
def test_idle_desks_are_looked_at_in_one_statement_and_say_what_their_pages_show():
    clinic, skin = a_clinic(), a_clinic(name="A skin OPD")
    rao, das, off_duty = on_duty(clinic), on_duty(skin), a_doctor()
    on_duty(skin, rao)
    Duty.objects.filter(doctor=das).update(paused_at=timezone.now())
    with CaptureQueriesContext(connection) as asked:
        tips = read_desks([rao.pk, das.pk, off_duty.pk])
    assert len(asked) == 1
    assert tips == {
        rao.pk: DeskTip("", False, ((skin.pk, False), (clinic.pk, False))),
        das.pk: DeskTip("", False, ((skin.pk, True),)),
        off_duty.pk: DeskTip("", False, ()),
    }
    Duty.objects.update(paused_at=None)
    an_opinion(in_the_room(clinic, rao), skin)
    tips = read_desks([rao.pk, das.pk])
    assert tips[rao.pk].own == OwnPart.of(rao).version != ""
    assert tips[das.pk].own == OwnPart.of(das).version != ""
    assert [tips[one.pk].may_call for one in (rao, das)] == [False, True]


def test_an_open_desk_is_written_down(site: Site, clinic, rao):
    with desk_of(site.url, rao) as desk:
        desk.hear("hello")
        read = AuditEvent.objects.get(action="desk.read")
        assert (read.by, read.refused) == (rao.user, False)


@pytest.mark.django_db(transaction=True)
def test_of_a_desk_that_is_gone_nothing_stays_in_the_process(settings):
    settings.IN_MEMORY = True
    clinic = a_clinic()
    rao = on_duty(clinic)
    cookie = f"{settings.SESSION_COOKIE_NAME}={session_of(rao.user, staff=True)}"
    headers = [(b"cookie", cookie.encode()), (b"origin", settings.SITE_URL.encode())]

    async def scene() -> None:
        desks = [WebsocketCommunicator(application, DESK, headers) for _ in range(2)]
        for desk in desks:
            assert await desk.connect(timeout=SOON) == (True, None)
            assert (await desk.receive_json_from(SOON))["type"] == "hello"
            assert (await desk.receive_json_from(SOON))["type"] == "line"
        (board,) = desk_boards()._boards.values()
        await desks[0].disconnect(timeout=SOON)
        assert len(board.desks) == 1
        await desks[1].disconnect(timeout=SOON)
        assert (desk_boards()._boards, hub()._topics) == ({}, {})
        await in_database(connections.close_all)

    asyncio.run(scene())
