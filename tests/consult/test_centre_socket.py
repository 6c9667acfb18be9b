"""The socket of a health centre's page: one for all its patients, in whatever lines they wait."""

import time
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.broadcast import signed_out
from consult import actions
from consult.live.centre_tips import read_centres
from consult.models import Consultation
from queues.models import Presence, Token
from tests.factories import (
    a_facility,
    a_health_worker,
    a_hub,
    a_patient,
    a_specialist,
    an_opinion,
    at_centre,
    before_the_screen,
    called,
    centre_of,
    on_duty,
    sent,
)
from tests.open_pages import other, page, path, room
from tests.running import SOON, Site, browser_of, post

CENTRE = "/ws/centre/"


@pytest.fixture
def meena(site: Site):
    return a_health_worker()


@pytest.fixture
def rao(hub):
    return on_duty(hub)


def desk_of(url: str, worker):
    return page(url, CENTRE, worker, staff=True)


def places(desk, *cases) -> list[int]:
    """How many are ahead of each, in whatever order they are told."""
    ahead: dict[int, int] = {}
    while not {case.token_id for case in cases} <= ahead.keys():
        told = desk.hear("place")
        ahead[told["token"]] = told["ahead"]
    return [ahead[case.token_id] for case in cases]


# --- who is let in ------------------------------------------------------------------------------
def test_it_is_for_health_workers_with_both_factors_and_a_post(site: Site, meena, hub, rao):
    case = sent(meena, hub)
    gone = a_health_worker(case.facility)
    gone.posts.update(ended_at=timezone.now())
    for user, staff in [
        (None, False),
        (case.patient.account, False),
        (meena, False),
        (rao.user, True),
        (gone, True),
    ]:
        with page(site.url, CENTRE, user, staff=staff) as socket:
            assert socket.closed_with() == 4404
    with desk_of(site.url, meena) as desk:
        (news,) = desk.hear("hello")["news"]
        assert news.startswith(f"{case.pk}.")


def test_the_room_of_a_case_is_for_its_own_centre(site: Site, meena, hub, rao):
    case = before_the_screen(meena, hub, rao)
    sunita = a_health_worker(a_facility(name="Rampur sub-centre"))
    with page(site.url, room(case), meena, staff=True) as ours:
        assert ours.hear("hello")["state"] == "in_progress"
    for user, staff in [(sunita, True), (meena, False)]:
        with page(site.url, room(case), user, staff=staff) as socket:
            assert socket.closed_with() == 4404


@pytest.mark.redis  # said in this process, heard in another
def test_it_closes_when_the_post_ends(site: Site, meena, hub, rao):
    with desk_of(other(site), meena) as desk:
        desk.hear("hello")
        meena.posts.update(ended_at=timezone.now())
        signed_out(meena)
        assert desk.closed_with() == 4401


# --- the lines ----------------------------------------------------------------------------------
def test_one_socket_shows_the_places_of_several_patients_in_several_lines(
    site: Site, meena, hub, rao
):
    narkatia = a_hub(centre_of(meena), name="Narkatia CHC")
    on_duty(narkatia)
    first, second, third = sent(meena, hub), sent(meena, hub), sent(meena, narkatia)
    with desk_of(other(site), meena) as desk:
        assert places(desk, first, second, third) == [0, 1, 0]
        with browser_of(meena, site.url, staff=True) as browser:
            post(browser, path("centre_visit", first), path("centre_leave", first))
        desk.hear("place", token=second.token_id, ahead=0)


def test_a_case_that_was_just_sent_or_moved_is_followed_from_then_on(site: Site, meena, hub, rao):
    narkatia = a_hub(centre_of(meena), name="Narkatia CHC")
    on_duty(narkatia)
    sent(meena, narkatia)
    case = at_centre(meena)
    with (
        desk_of(other(site), meena) as desk,
        browser_of(meena, site.url, staff=True) as browser,
    ):
        desk.hear("hello")
        form = {"clinic": str(hub.uid), "how": "spoken", "consent": "on", "is_present": "on"}
        post(browser, path("centre_send", case), path("centre_send", case), **form)
        case.refresh_from_db()
        desk.hear("place", token=case.token_id, ahead=0)
        form = {"clinic": str(narkatia.uid), "because": "Shorter there"}
        post(browser, path("centre_visit", case), path("centre_move", case), **form)
        case.refresh_from_db()
        desk.hear("place", token=case.token_id, ahead=1)


def test_patients_are_present_while_the_page_is_open_and_absent_15_seconds_later(
    site: Site, meena, hub, rao
):
    cases = [sent(meena, hub), sent(meena, hub)]
    Presence.objects.all().delete()
    with desk_of(site.url, meena) as desk:
        places(desk, *cases)
        leases = dict(Presence.objects.values_list("token", "until"))
        assert leases.keys() == {case.token_id for case in cases}
        assert min(leases.values()) > timezone.now() + timedelta(seconds=40)
    until = time.monotonic() + SOON
    while time.monotonic() < until and _ending() < 2:
        time.sleep(0.05)
    assert _ending() == 2
    assert Token.objects.present().count() == 2  # a page that reloads is not gone


def _ending() -> int:
    """Leases that end within the 15 seconds that a page may take to come back."""
    return Presence.objects.filter(until__lte=timezone.now() + Presence.GRACE).count()


def test_a_phone_at_home_makes_nobody_present_at_the_centre(site: Site, meena, hub, rao):
    case = sent(meena, hub)
    Presence.objects.all().delete()
    with page(site.url, room(case), case.patient.account) as phone:
        phone.hear("hello", token="waiting")
    assert not Presence.objects.exists()


def test_a_second_health_worker_keeps_them_present_when_the_first_goes(site: Site, meena, hub, rao):
    case = sent(meena, hub)
    sunita = a_health_worker(case.facility)
    with desk_of(site.url, sunita) as stays:
        stays.hear("place", token=case.token_id)
        with desk_of(site.url, meena) as goes:
            goes.hear("place", token=case.token_id)
        time.sleep(0.5)
        assert _ending() == 0


# --- what it is told ----------------------------------------------------------------------------
def test_the_whole_centre_is_told_when_a_doctor_calls(site: Site, meena, hub, rao):
    case = sent(meena, hub)
    sunita = a_health_worker(case.facility)
    with (
        desk_of(site.url, meena) as first,
        desk_of(other(site), sunita) as second,
        browser_of(rao.user, site.url, staff=True) as doctor,
    ):
        for desk in (first, second):
            desk.hear("place", token=case.token_id)
        post(doctor, "/doctor/", "/doctor/call/", clinic=str(hub.uid))
        for desk in (first, second):
            assert desk.hear("centre")["news"] == [f"{case.pk}.{case.token_id}.called.0.0"]
    assert Token.objects.get().state == "called"


def test_another_centre_hears_nothing_of_it(site: Site, meena, hub, rao):
    case = sent(meena, hub)
    sunita = a_health_worker(a_facility(name="Rampur sub-centre"))
    with (
        desk_of(site.url, sunita) as theirs,
        desk_of(site.url, meena) as ours,
        browser_of(meena, site.url, staff=True) as browser,
    ):
        theirs.hear("hello")
        post(browser, path("centre_visit", case), path("centre_leave", case))
        ours.hear("centre")
        with pytest.raises(TimeoutError):
            theirs.socket.recv(timeout=1)


def test_what_a_doctor_asks_for_is_told_to_both_sides_and_so_is_the_answer(
    site: Site, meena, hub, rao
):
    case = before_the_screen(meena, hub, rao)
    with (
        page(site.url, room(case), meena, staff=True) as centre,
        page(other(site), room(case), rao.user, staff=True) as doctors,
        browser_of(rao.user, site.url, staff=True) as desk,
        browser_of(meena, other(site), staff=True) as browser,
    ):
        for side in (centre, doctors):
            side.hear("hello")
        words = {"instruction-words": "Measure the pulse again"}
        post(desk, path("doctors_room", case), path("instruct", case), **words)
        for side in (centre, doctors):
            assert side.hear("instruction") == {"type": "instruction"}
        asked = case.instructions.get()
        done = reverse("consult:centre_carry_out", args=[case.uid, asked.pk])
        post(browser, path("centre_visit", case), done, answer="96")
        for side in (centre, doctors):
            side.hear("instruction")


def test_a_specialist_hears_the_room_once_joined_and_not_before(site: Site, meena, hub, rao):
    skin = a_hub(centre_of(meena), "dermatology")
    das = a_specialist(skin)
    case = before_the_screen(meena, hub, rao)
    opinion = an_opinion(case, skin)
    with page(site.url, room(case), das.user, staff=True) as socket:
        assert socket.closed_with() == 4404
    with (
        page(site.url, room(case), rao.user, staff=True) as doctors,
        browser_of(das.user, other(site), staff=True) as browser,
    ):
        doctors.hear("hello")
        join = reverse("consult:join", args=[opinion.uid])
        post(browser, reverse("consult:asked"), join)
        assert doctors.hear("opinion") == {"type": "opinion"}
        with page(other(site), room(case), das.user, staff=True) as specialists:
            specialists.hear("hello", state="in_progress")


def test_the_desk_of_the_specialists_is_told_that_one_is_asked(site: Site, meena, hub, rao):
    skin = a_hub(centre_of(meena), "dermatology")
    das = a_specialist(skin)
    case = before_the_screen(meena, hub, rao)
    with (
        page(other(site), "/ws/desk/", das.user, staff=True) as desk,
        browser_of(rao.user, site.url, staff=True) as doctor,
    ):
        desk.hear("hello")
        form = {"opinion-clinic": str(skin.uid), "opinion-question": "Eczema?"}
        post(doctor, path("doctors_room", case), path("ask_opinion", case), **form)
        desk.hear("asked")


def test_a_case_that_is_returned_is_told_to_the_centre(site: Site, meena, hub, rao):
    sent(meena, hub, a_patient())
    case = called(hub, rao)
    with (
        desk_of(other(site), meena) as centre,
        browser_of(rao.user, site.url, staff=True) as doctor,
    ):
        centre.hear("hello")
        form = {"return-reason": "not_enough", "return-words": "Which days?"}
        post(doctor, path("doctors_room", case), path("send_back", case), **form)
        centre.hear("centre")
    case.refresh_from_db()
    assert case.state == "returned"
    assert actions.reopen_case(earlier=case, by=meena).state == "draft"


# --- what was not heard of ----------------------------------------------------------------------
def test_whatever_changed_without_a_word_is_told_all_the_same(site: Site, meena, hub, rao):
    """The process that wrote it died before it could say so: no page goes by what is said alone."""
    case = sent(meena, hub)
    key = f"{case.pk}.{case.token_id}"
    with desk_of(site.url, meena) as desk:
        assert desk.hear("hello")["news"] == [f"{key}.waiting.0.0"]
        Token.objects.update(state="called", doctor=rao, called_at=timezone.now())
        assert desk.hear("now")["news"] == [f"{key}.called.0.0"]
        case.instructions.create(words="Measure the pulse", asked_by=rao.user)
        assert desk.hear("now")["news"] == [f"{key}.called.0.1"]
        later = sent_without_a_word(meena, hub)
        desk.hear("place", token=later.token_id)
        ended = {"state": "returned", "ended_at": timezone.now()}
        Consultation.objects.update(**ended, settled_at=timezone.now(), settled_by=meena)
        assert desk.hear("now", news=["0.None.settled.2.0"])


def sent_without_a_word(meena, hub) -> Consultation:
    """As by a process that died when it had written it."""
    case = at_centre(meena)
    token = Token.objects.create(
        clinic=hub, day=timezone.localdate(), number=50, patient=case.patient, brought_by=meena
    )
    now = {"requested_at": timezone.now(), "attested_at": timezone.now(), "attested_by": meena}
    Consultation.objects.filter(pk=case.pk).update(state="requested", token=token, **now)
    case.refresh_from_db()
    return case


@pytest.mark.django_db
def test_all_centres_are_read_in_one_statement(django_assert_num_queries):
    workers = [a_health_worker(a_facility(name=f"Sub-centre {n}")) for n in range(3)]
    clinic = a_hub(centre_of(workers[0]))
    on_duty(clinic)
    case = sent(workers[0], clinic)
    facilities = [centre_of(worker).pk for worker in workers]
    with django_assert_num_queries(1):
        tips = read_centres(facilities)
    assert [len(tips[pk].news) for pk in facilities] == [1, 0, 0]
    assert tips[facilities[0]].places == {(clinic.pk, case.token_id)}
    assert tips[facilities[0]].besides(case.pk) == ()
