"""The figures of quality: what is counted, as what, and whose it is."""

from datetime import date, timedelta
from typing import Any

import pytest

from accounts.area import Area
from accounts.models import Facility, User
from consult.models import Consultation, Prescription
from consult.quality import COLUMNS, Period, figures_of, plot_of_days
from consult.quality.columns import Tally
from tests.factories import a_doctor, a_state
from tests.quality.cases import EVERYWHERE, TODAY, R, a_case, a_prescription, a_task, at, of, waited

pytestmark = pytest.mark.django_db


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
