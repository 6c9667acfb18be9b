"""The figures of quality and the daily table: hand-made rows, exact numbers."""

import csv
import io
from datetime import date, datetime, time, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.area import Area
from accounts.models import Doctor, Facility, Post, User
from accounts.seeding import OFFICERS
from consult.models import (
    Consultation,
    Dispensing,
    FollowUp,
    Prescription,
    PrescriptionLine,
)
from consult.quality import COLUMNS, Period, figures_of, mis_table, plot_of_days
from consult.quality.columns import Tally
from queues.models import Token
from tests.factories import (
    a_clinic,
    a_district,
    a_doctor,
    a_patient,
    a_state,
    as_staff,
    queries_of,
)

pytestmark = pytest.mark.django_db
numbers = count(1)
EVERYWHERE = Area(everywhere=True)
TODAY = timezone.localdate
R = Consultation.EndReason


def at(days_ago: int, hour: int = 10, minute: int = 0) -> datetime:
    day = TODAY() - timedelta(days=days_ago)
    return timezone.make_aware(datetime.combine(day, time(hour, minute)))


@pytest.fixture
def land() -> SimpleNamespace:
    """A sub-centre and a PHC with a clinic in Kerala, a hospital with a clinic in Bihar."""
    here = SimpleNamespace(kochi=a_district())
    here.spoke = Facility.objects.create(
        name="Canal Road", kind="sub_centre", state=a_state(32), district=here.kochi
    )
    here.hub = Facility.objects.create(name="Lakeside", kind="phc", state=a_state(32))
    here.far = Facility.objects.create(name="Ganga", kind="phc", state=a_state(10))
    here.clinic = a_clinic(name="Lakeside medicine", facility=here.hub)
    here.far_clinic = a_clinic(name="Ganga medicine", facility=here.far, state=a_state(10))
    here.opd = a_clinic(name="Kerala OPD")
    here.doctor = a_doctor(facility=here.hub)
    here.worker = User.objects.create(phone="+919000000900", name="Meena")
    return here


def a_case(land: SimpleNamespace, **fields: Any) -> Consultation:
    """Asked at the sub-centre today at ten, and completed, unless said otherwise."""
    asked_at = fields.pop("asked_at", at(0))
    fields = {
        "patient": a_patient(),
        "clinic": land.clinic,
        "doctor": land.doctor,
        "facility": land.spoke,
        "requested_by": land.worker,
        "attested_at": asked_at,
        "attested_by": land.worker,
        "complaint": "Fever and cough",
        "since": "days",
        "state": "completed",
        "created_at": asked_at,
        "requested_at": asked_at,
        "started_at": asked_at,
        "ended_at": asked_at,
    } | fields
    return Consultation.objects.create(**fields)


def waited(case: Consultation, minutes: float, told: int | None) -> Consultation:
    """The case had a token, and was called after so many minutes."""
    case.token = Token.objects.create(
        clinic=case.clinic, day=TODAY(), number=next(numbers), patient=case.patient, state="done",
        doctor=case.doctor, issued_at=case.requested_at,
        called_at=case.requested_at + timedelta(minutes=minutes),
        ended_at=case.requested_at + timedelta(minutes=minutes + 5), expected_high=told,
    )  # fmt: skip
    case.save(update_fields=["token"])
    return case


def a_task(case: Consultation, due_on: date, closed_at: datetime | None = None) -> FollowUp:
    return FollowUp.objects.create(
        consultation=case, patient=case.patient, facility=case.facility, due_on=due_on,
        created_at=case.ended_at, closed_at=closed_at, outcome="well" if closed_at else "",
        closed_by=case.requested_by if closed_at else None,
    )  # fmt: skip


def a_prescription(case: Consultation, *given: str) -> Prescription:
    """One line for each of what was given out; "" for a line that nobody has dispensed."""
    prescription = Prescription.objects.create(
        consultation=case, state="issued", number=f"RX-{case.pk}", issued_at=case.ended_at,
        issued_by=case.doctor, document={},
    )  # fmt: skip
    for position, what in enumerate(given, 1):
        line = PrescriptionLine.objects.create(
            prescription=prescription, position=position, generic="Zinc", form="tablet",
            strength="20 mg", dose="1", frequency="od", days=10,
        )  # fmt: skip
        if what:
            Dispensing.objects.create(
                line=line, given=what, facility=case.facility, dispensed_by=case.requested_by
            )
    return prescription


def of(by: str, name: str, *, days: int = 1, area: Area = EVERYWHERE) -> dict[str, Any]:
    """The numbers of one line that are not nothing."""
    table = figures_of(by, Period.of_days(days), area)
    row = {row.name: row for row in table.rows}[name]
    return {key: number for key, number in row.numbers.items() if number not in (0, None)}


# --- counts -------------------------------------------------------------------------------------
def test_cases_are_counted_by_what_became_of_them(land):
    a_case(land, completeness=100)
    a_case(land, is_written=True, is_emergency=True, completeness=51)
    a_case(land, end_reason=R.TRANSFERRED)
    a_case(land, state="in_progress", ended_at=None)
    for reason in (R.LEFT, R.NO_SHOW, R.DAY_OVER):
        a_case(land, state="cancelled", end_reason=reason)
    a_case(land, state="cancelled", end_reason=R.DISCARDED)
    a_case(land, state="draft", requested_at=None, ended_at=None)
    assert of("centre", "Canal Road") == {
        "asked": 8, "completed": 2, "transferred": 1, "in_writing": 1, "emergencies": 1,
        "unanswered": 3, "completeness_mean": 76,
    }  # fmt: skip


def test_returned_ones_stand_under_their_reason(land):
    reasons = [R.WRONG_SPECIALITY] * 3 + [
        R.NOT_ENOUGH, R.PATIENT_ABSENT, R.PATIENT_ABSENT, R.NEEDS_IN_PERSON, R.OTHER,
    ]  # fmt: skip
    for reason in reasons:
        a_case(land, state="returned", end_reason=reason)
    a_case(land)
    a_case(land)
    assert of("centre", "Canal Road") == {
        "asked": 10, "completed": 2, "returned": 8, "returned_percent": 80, "wrong_speciality": 3,
        "not_enough": 1, "patient_absent": 2, "needs_in_person": 1, "other": 1,
    }  # fmt: skip


def test_a_period_is_whole_days_of_the_service(land):
    for days_ago, hour, minute in ((0, 0, 0), (0, 23, 59), (1, 23, 59), (6, 0, 0), (7, 23, 59)):
        a_case(land, asked_at=at(days_ago, hour, minute))
    assert of("centre", "Canal Road")["asked"] == 2
    assert of("centre", "Canal Road", days=7)["asked"] == 4
    days = figures_of("centre", Period.of_days(7), EVERYWHERE).days
    assert list(days.values()) == [(1, 0), (0, 0), (0, 0), (0, 0), (0, 0), (1, 0), (2, 0)]


# --- waiting ------------------------------------------------------------------------------------
def test_waits_are_held_against_what_was_told(land):
    for minutes, told in ((5, 10), (10, 10), (10.5, 10), (40, 20), (3, None)):
        waited(a_case(land), minutes, told)
    a_case(land, is_written=True)
    numbers = of("centre", "Canal Road")
    assert (numbers["in_time_percent"], numbers["median_wait"]) == (50, 10)


@pytest.mark.parametrize(
    ("waits", "median"), [([7], 7), ([1, 2], 1.5), ([0, 0, 30], 0), ([9, 1, 5, 5], 5), ([], None)]
)
def test_the_median_is_that_of_the_people(waits, median):
    tally = Tally()
    tally.waits.update(waits)
    assert tally.median_wait() == median


def test_together_is_not_the_mean_of_means(land):
    other = Facility.objects.create(name="Hill Road", kind="sub_centre", state=a_state(32))
    for minutes in (1, 2, 3):
        waited(a_case(land, completeness=100), minutes, 10)
    waited(a_case(land, facility=other, completeness=20, state="returned"), 50, 10)
    total = figures_of("centre", Period.of_days(1), EVERYWHERE).total.numbers
    assert total["asked"] == 4
    assert (total["in_time_percent"], total["median_wait"]) == (75, 2.5)
    assert (total["completeness_mean"], total["returned_percent"]) == (80, 25)


# --- afterwards ---------------------------------------------------------------------------------
def test_follow_ups_are_due_in_time_late_or_overdue(land):
    day = timedelta(days=1)
    for due_on, closed_at in (
        (TODAY() - day, at(1, 20)),  # on the day
        (TODAY() - day, at(2)),  # before it
        (TODAY() - day, at(0)),  # late
        (TODAY() - day, None),  # overdue
        (TODAY(), None),  # due, not over
        (TODAY() + day, None),  # not due
    ):
        a_task(a_case(land, asked_at=at(3)), due_on, closed_at)
    asked = {"asked": 6, "completed": 6}
    assert of("centre", "Canal Road", days=4) == asked | {
        "follow_ups": 6, "due": 5, "in_time_closed": 2, "overdue": 1,
    }  # fmt: skip
    assert of("centre", "Canal Road") == {"due": 1}
    wide = figures_of("centre", Period(TODAY(), TODAY() + 9 * day), EVERYWHERE)
    assert wide.total.numbers["due"] == 1


def test_a_prescription_is_all_given_when_each_line_is(land):
    for given in (("given", "given"), ("given", "partly"), ("not_in_stock",), ("given", ""), ("",)):
        a_prescription(a_case(land), *given)
    Prescription.objects.create(consultation=a_case(land))
    numbers = of("centre", "Canal Road")
    assert (numbers["prescriptions"], numbers["all_given"]) == (5, 1)


def test_a_prescription_of_a_patient_at_home_is_given_out_by_nobody(land):
    a_prescription(a_case(land, facility=None, requested_by=None), "")
    assert of("clinic", "Lakeside medicine") == {"asked": 1, "completed": 1}


def test_media_minutes_are_whole_ones_of_all_talks_together(land):
    for video, sound in ((50, 200), (100, 219), (0, 0)):
        a_case(land, video_seconds=video, sound_seconds=sound)
    numbers = of("doctor", "Dr Raghav Rao")
    assert (numbers["video_minutes"], numbers["sound_minutes"]) == (2, 6)


# --- whose figures ------------------------------------------------------------------------------
def test_the_same_case_is_the_centres_the_clinics_and_the_doctors(land):
    waited(a_case(land), 4, 5)
    a_task(Consultation.objects.get(), TODAY())
    a_case(land, facility=None, requested_by=None)
    mine = {
        "asked": 1, "completed": 1, "in_time_percent": 100, "median_wait": 4, "follow_ups": 1,
        "due": 1,
    }  # fmt: skip
    assert of("centre", "Canal Road") == mine
    both = mine | {"asked": 2, "completed": 2}
    assert of("clinic", "Lakeside medicine") == both
    assert of("doctor", "Dr Raghav Rao") == both


def test_an_area_has_its_own_centres_clinics_and_doctors(land):
    far_doctor = a_doctor(facility=land.far)
    User.objects.filter(pk=far_doctor.user_id).update(name="Dr Far")
    a_case(land)
    a_case(land, clinic=land.far_clinic, doctor=far_doctor)
    a_case(land, clinic=land.far_clinic, doctor=far_doctor, facility=land.far)
    kerala, kochi = Area(states=frozenset({32})), Area(districts=frozenset({land.kochi.pk}))

    def names(by: str, area: Area) -> list[tuple[str, Any]]:
        rows = figures_of(by, Period.of_days(1), area).rows
        return [(row.name, row.numbers["asked"]) for row in rows]

    assert names("centre", kerala) == names("centre", kochi) == [("Canal Road", 2)]
    assert names("clinic", kerala) == [("Lakeside medicine", 1)]
    assert names("doctor", kerala) == [("Dr Raghav Rao", 1)]
    assert names("clinic", kochi) == names("doctor", kochi) == []
    assert names("centre", EVERYWHERE) == [("Canal Road", 2), ("Ganga", 1)]
    assert names("centre", Area()) == []


def test_each_column_has_a_number_and_a_name_of_its_own(land):
    a_case(land)
    row = figures_of("centre", Period.of_days(1), EVERYWHERE).rows[0]
    assert list(row.numbers) == [column.key for column in COLUMNS]
    assert len({(column.group, column.heading) for column in COLUMNS}) == len(COLUMNS)


def test_bars_stand_on_the_ground_and_the_highest_fills_the_plot():
    plot = plot_of_days(
        {date(2026, 11, 1): (4, 1), date(2026, 11, 2): (0, 0), date(2026, 11, 3): (2, 2)}
    )
    assert [(bar.x, bar.y, bar.height, bar.returned_height) for bar in plot.bars] == [
        (0, 0, 96, 24), (240, 96, 0, 0), (480, 48, 48, 48),
    ]  # fmt: skip
    assert plot.top == 4
    assert [bar.height for bar in plot_of_days({date(2026, 11, 1): (0, 0)}).bars] == [0]


# --- the daily table ----------------------------------------------------------------------------
def test_the_daily_table_has_the_whole_first_and_the_states_by_total(land):
    other_worker = User.objects.create(phone="+919000000901", name="Anitha")
    far_doctor = a_doctor(facility=land.far)
    a_case(land)
    a_case(land, requested_by=other_worker)
    a_case(land, clinic=land.far_clinic, doctor=far_doctor)  # Kerala's spoke asks Bihar's hub
    a_case(land, clinic=land.opd, facility=None, requested_by=None)
    a_case(land, clinic=land.far_clinic, doctor=land.doctor, facility=land.far)
    a_case(land, end_reason=R.TRANSFERRED)
    a_case(land, state="returned", end_reason=R.OTHER)
    a_case(land, asked_at=at(1))
    rows = mis_table(Period.of_days(1), EVERYWHERE)
    assert [
        (r.name, r.hubs, r.spokes, r.doctors, r.health_workers, r.opd, r.hwc, r.total) for r in rows
    ] == [
        ("India", 2, 2, 2, 2, 1, 4, 5),
        ("Kerala", 1, 1, 1, 2, 1, 3, 4),
        ("Bihar", 1, 1, 2, 1, 0, 1, 1),
    ]


def test_the_daily_table_of_an_area(land):
    a_case(land)
    a_case(land, clinic=land.far_clinic, facility=land.far)
    bihar = mis_table(Period.of_days(1), Area(states=frozenset({10})))
    assert [(row.name, row.total, row.hubs) for row in bihar] == [
        ("Your area", 1, 1),
        ("Bihar", 1, 1),
    ]


def test_a_day_without_consultations_has_one_line_of_nothing():
    rows = mis_table(Period.of_days(1), EVERYWHERE)
    assert [(row.name, row.total, row.doctors) for row in rows] == [("India", 0, 0)]


# --- the pages ----------------------------------------------------------------------------------
QUALITY, MIS = "/admin/quality/", "/admin/mis/"


def staff(land, **fields: Any) -> User:
    user = a_doctor().user
    Doctor.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(is_staff=True, **fields)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def boss(land):
    return as_staff(staff(land, is_superuser=True))


@pytest.fixture
def officer(land):
    user = staff(land)
    Post.objects.create(user=user, facility=land.spoke, role="nodal_officer")
    user.groups.add(Group.objects.get(name=OFFICERS))
    return as_staff(user)


@pytest.mark.parametrize("page", [QUALITY, MIS])
def test_figures_are_for_whoever_has_an_area(land, boss, officer, page):
    nobody = as_staff(staff(land))
    for client, status in ((boss, 200), (officer, 200), (nobody, 403)):
        assert client.get(page).status_code == status
        linked = page in client.get("/admin/").content.decode()
        assert linked == (status == 200)
    assert boss.post(page).status_code == 405
    assert as_staff(a_doctor().user).get(page).status_code == 302  # to the sign-in of staff


def test_an_officer_reads_the_figures_of_the_area(land, officer, boss):
    a_case(land)
    a_case(land, facility=land.far)
    shown = officer.get(QUALITY).content.decode()
    assert "Canal Road" in shown
    assert "Ganga" not in shown
    assert "Ganga" in boss.get(QUALITY).content.decode()
    assert "Your area" in officer.get(MIS).content.decode()


@pytest.mark.parametrize("by", ["centre", "clinic", "doctor"])
def test_the_page_names_no_patient_and_holds_no_style(land, boss, by):
    case = a_case(land, patient=a_patient(name="Zubaida Khatun"))
    a_prescription(waited(case, 5, 10), "given")
    answer = boss.get(QUALITY, {"by": by})
    shown = answer.content.decode()
    assert {"centre": "Canal Road", "clinic": "Lakeside medicine", "doctor": "Raghav"}[by] in shown
    assert "Zubaida" not in shown
    assert case.patient.number not in shown
    assert " style=" not in shown
    assert "<svg" in shown


@pytest.mark.parametrize("by", ["centre", "clinic", "doctor"])
def test_a_table_costs_the_same_for_one_row_and_for_thirty(land, boss, by):
    address = f"{QUALITY}?by={by}"
    rows(land, 1)
    one = queries_of(boss, address)
    daily = queries_of(boss, MIS)
    rows(land, 29)
    assert len(figures_of(by, Period.of_days(1), EVERYWHERE).rows) == 30
    assert queries_of(boss, address) == one
    assert queries_of(boss, MIS) == daily
    with CaptureQueriesContext(connection) as queries:
        figures_of(by, Period.of_days(1), EVERYWHERE)
    assert len(queries) == 6


def rows(land, many: int) -> None:
    """So many health centres, clinics and doctors with a case each."""
    for number in range(many):
        place = Facility.objects.create(name=f"Place {number}", kind="phc", state=a_state(32))
        case = a_case(
            land, facility=place, doctor=a_doctor(facility=place),
            clinic=a_clinic(name=f"Clinic {number}", facility=place, always_open=False),
        )  # fmt: skip
        a_task(waited(case, number, 10), TODAY())
        a_prescription(case, "given")


def test_a_table_is_sorted_by_any_column_both_ways(land, boss):
    for name, asked, wait in (("A", 1, 9), ("B", 3, 2), ("C", 2, None)):
        place = Facility.objects.create(name=name, kind="phc", state=a_state(32))
        for _each in range(asked):
            case = a_case(land, facility=place)
            if wait is not None:
                waited(case, wait, 10)

    def order(sort: str) -> str:
        answer = boss.get(QUALITY, {"sort": sort} if sort else {})
        return "".join(row.name for row, _cells in answer.context["rows"])

    assert order("") == order("-asked") == "BCA"
    assert order("asked") == "ACB"
    assert order("-median_wait") == "ABC"
    assert order("median_wait") == "BAC"
    assert (order("name"), order("-name"), order("nonsense")) == ("ABC", "CBA", "ABC")


@pytest.mark.parametrize("page", [QUALITY, MIS])
def test_a_table_is_downloaded_as_csv_and_runs_nothing(land, boss, page):
    Facility.objects.filter(pk=land.spoke.pk).update(name="=HYPERLINK(1)")
    a_case(land, state="returned", end_reason=R.OTHER)
    a_case(land)
    answer = boss.get(page, {"csv": 1})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert ".csv" in answer["Content-Disposition"]
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    if page == QUALITY:
        assert lines[0][:3] == ["Name", "Place", "Consultations: Asked"]
        assert lines[1][:4] == ["'=HYPERLINK(1)", "Ernakulam", "2", "1"]
        assert len(lines[0]) == len(lines[1]) == len(COLUMNS) + 2
    else:
        assert lines[0][-3:] == ["OPD", "Health centres (HWC)", "Total"]
        assert lines[1] == ["India", "1", "1", "1", "1", "0", "1", "1"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"days": "", "first": "2026-11-01"}, "Say from which day to which day."),
        ({"days": "", "first": "2026-11-02", "last": "2026-11-01"}, "before the first"),
        ({"days": "", "first": "2025-11-02", "last": "2026-11-03"}, "A year at most."),
        ({"days": "", "first": "yesterday", "last": "2026-11-01"}, "valid date"),
        ({"days": "8"}, "valid choice"),
    ],
)
def test_a_period_that_is_none_is_said(boss, asked, says):
    answer = boss.get(QUALITY, asked)
    assert answer.status_code == 400
    assert says in answer.content.decode()


def test_other_bad_questions_are_refused(boss):
    assert boss.get(QUALITY, {"by": "patient"}).status_code == 400
    assert boss.get(MIS, {"day": "tomorrow"}).status_code == 400
    assert boss.get(QUALITY, {"by": "doctor", "days": "30"}).status_code == 200


def test_from_one_day_to_another(land, boss):
    a_case(land, asked_at=at(3))
    asked = {"days": "", "first": TODAY() - timedelta(days=4), "last": TODAY() - timedelta(days=3)}
    assert boss.get(QUALITY, asked).context["found"] == 1
    earlier = asked | {"last": TODAY() - timedelta(days=4)}
    assert "Nothing was asked" in boss.get(QUALITY, earlier).content.decode()
    yesterday = boss.get(MIS, {"day": TODAY() - timedelta(days=3)})
    assert [row[-1] for row in yesterday.context["rows"]] == [1, 1]


def test_the_pages_have_names(boss):
    assert (reverse("admin:quality"), reverse("admin:mis")) == (QUALITY, MIS)
