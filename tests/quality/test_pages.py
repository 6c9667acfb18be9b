"""The pages of the figures: for whom, in which order, and as a file."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Doctor, Facility, Post, User
from accounts.seeding import OFFICERS
from consult.quality import COLUMNS, Period, figures_of
from tests.factories import a_clinic, a_doctor, a_patient, a_state, as_staff, queries_of
from tests.quality.cases import EVERYWHERE, TODAY, R, a_case, a_prescription, a_task, at, waited

pytestmark = pytest.mark.django_db


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
