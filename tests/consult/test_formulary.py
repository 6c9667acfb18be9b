"""The formulary: the starter set, its file, and that two people change it."""

import io
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from consult import actions
from consult.actions.formulary import STARTER, apply_rows
from consult.formulary_csv import (
    COLUMNS,
    BadRows,
    check_rows,
    formulary_rows,
    read_csv,
    usual_doses,
    write_csv,
)
from consult.models import Drug, DrugRule, FormularyChange
from queues.models import MoveRefused
from tests.factories import a_user, as_staff, the_formulary

pytestmark = pytest.mark.django_db
RULE = {
    "generic": "Testin", "form": "tablet", "strength": "5 mg", "route": "oral", "list": "O",
    "use": "first", "effective_from": "2026-01-01", "source": "committee, 3 January 2026",
}  # fmt: skip


@pytest.fixture
def pillai():
    return staff("Nandini Pillai")


@pytest.fixture
def das():
    return staff("Dr Das")


def staff(name: str):
    user = a_user(name=name, is_staff=True, is_superuser=True)
    user.totpdevice_set.create(name="app", confirmed=True)
    return user


# --- the starter set ----------------------------------------------------------------------------
def test_the_starter_set_has_200_generics_and_says_what_it_is():
    rows = read_csv(STARTER.read_text(encoding="utf-8"))
    generics = {row["generic"] for row in rows}
    assert len(generics) >= 200
    assert {row["generic"] for row in rows if row.get("list")} == generics
    assert {row["generic"] for row in rows if row.get("form")} == generics
    assert all("tarter set, not the official NLEM" in row["source"] for row in rows)


def test_it_is_loaded_once_and_what_the_committee_changed_stays():
    there = len({row["generic"] for row in read_csv(STARTER.read_text(encoding="utf-8"))})
    assert actions.load_starter() == there
    apply_rows([RULE | {"generic": "Paracetamol", "list": "X", "use": ""}], change=None)
    DrugRule.objects.filter(drug__generic="Zinc sulfate").delete()
    Drug.objects.filter(generic="Zinc sulfate").delete()
    assert actions.load_starter() == 1
    today = timezone.localdate()
    assert Drug.objects.get(generic="Paracetamol").rules.in_force(today).get().list == "X"


@pytest.mark.parametrize(
    ("generic", "rules"),
    [
        ("Paracetamol", {("O", "first", False)}),
        ("Clotrimazole", {("A", "first", True), ("A", "refill", False)}),
        ("Metformin", {("A", "refill", False)}),
        ("Enalapril", {("A", "refill", False), ("B", "add_on", False)}),
        ("Sitagliptin", {("B", "add_on", False)}),
        ("Clonazepam", {("A", "first", True), ("A", "refill", False)}),
        ("Morphine", {("X", "", False)}),
        ("Ketamine", {("X", "", False)}),
        ("Methotrexate", {("X", "", False)}),
    ],
)
def test_it_classifies_what_the_guidelines_name_as_they_do(generic, rules):
    actions.load_starter()
    kept = Drug.objects.get(generic=generic).rules.values_list("list", "use", "video_only")
    assert set(kept) == rules


def test_it_comes_back_from_its_file_as_it_was():
    actions.load_starter()
    text = write_csv(formulary_rows(timezone.localdate()))

    def sorted_rows(text: str) -> list:
        return sorted(read_csv(text), key=lambda row: sorted(row.items()))

    assert sorted_rows(text) == sorted_rows(STARTER.read_text(encoding="utf-8"))
    for drug in Drug.objects.all():
        drug.rules.all().delete()
    Drug.objects.all().delete()
    apply_rows(read_csv(text), change=None)
    assert write_csv(formulary_rows(timezone.localdate())) == text


# --- the file -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"generic": ""}, "generic is empty."),
        ({"list": "C"}, "list is O, A, B or X"),
        ({"list": "B", "use": "first"}, "use with list B is add_on."),
        ({"list": "X", "use": "first"}, "use with list X is empty."),
        ({"list": "A"}, "video_only is yes for a first prescription of list A"),
        ({"video_only": "yes"}, "video_only is yes for a first prescription of list A"),
        ({"source": ""}, "a rule needs its source."),
        ({"effective_from": "yesterday"}, "effective_from is a day"),
        ({"effective_to": "2025-01-01"}, "effective_to is a day on or after"),
        ({"form": "potion"}, "form is one of tablet,"),
        ({"strength": ""}, "form, strength and route go together."),
        ({"strength": "x" * 41}, "strength is longer than 40 letters."),
        ({"daily_dose": "a lot"}, "daily_dose is like"),
        ({"daily_dose": "12-y: 90-20 mg"}, "daily_dose is like"),
        ({"interactions": "Warfarin"}, "interactions are like"),
        ({"pregnancy": "yes"}, "pregnancy is empty, caution or avoid."),
    ],
)
def test_a_row_that_says_nothing_right_is_named_with_its_number(change, problem):
    with pytest.raises(BadRows) as refused:
        check_rows([RULE, RULE | change])
    assert any(one.startswith("Row 2: ") and problem in one for one in refused.value.problems)


@pytest.mark.parametrize("text", ["", "generic\n", "name,list\nx,O\n", "generic,list\nx\n"])
def test_a_file_without_the_right_columns_or_rows_is_refused(text):
    with pytest.raises(BadRows):
        read_csv(text)


def test_usual_doses_by_age_and_weight():
    child, adult = usual_doses("0.25-12y: 30-60 mg/kg; 12-y: 500-4000 mg")
    assert (child.months_from, child.months_to, child.per_kg) == (3, 144, True)
    assert (adult.months_from, adult.low, adult.high, adult.per_kg) == (144, 500, 4000, False)


@pytest.mark.parametrize(
    "rows",
    [
        [RULE, {"generic": "Other", "other_names": "testin"}],
        [RULE | {"interactions": "Nowhere: harm"}],
        [RULE | {"interactions": "Testin: harm"}],
    ],
)
def test_names_are_one_generics_and_interactions_are_between_two_known_ones(rows):
    with pytest.raises(BadRows), transaction.atomic():
        apply_rows(check_rows(rows), change=None)
    assert not Drug.objects.exists()


def test_new_rules_take_the_place_of_the_old_ones_from_their_day_on():
    apply_rows([RULE], change=None)
    later = timezone.localdate() + timedelta(days=10)
    apply_rows([RULE | {"list": "X", "use": "", "effective_from": later.isoformat()}], change=None)
    drug = Drug.objects.get()
    assert drug.rules.in_force(timezone.localdate()).get().list == "O"
    assert drug.rules.in_force(later).get().list == "X"
    assert drug.rules.in_force(date(2025, 12, 31)).count() == 0
    assert drug.products.count() == 1


@pytest.mark.parametrize(
    "cell",
    [("O", "refill", False), ("A", "first", False), ("B", "first", False), ("X", "first", False)],
)
def test_the_database_keeps_no_rule_that_is_no_cell_of_the_guidelines(cell):
    apply_rows([RULE], change=None)
    of_list, use, video = cell
    with pytest.raises(IntegrityError), transaction.atomic():
        DrugRule.objects.create(
            drug=Drug.objects.get(), list=of_list, use=use, video_only=video, source="x",
            effective_from="2026-01-01",
        )  # fmt: skip


# --- two people ---------------------------------------------------------------------------------
def test_one_proposes_another_approves_and_each_step_is_written_down(pillai, das):
    change = actions.propose_change(title="Testin is list O", rows=[RULE], by=pillai)
    assert not Drug.objects.exists()
    with pytest.raises(actions.SamePerson):
        actions.approve_change(change=change, by=pillai)
    actions.approve_change(change=change, by=das)
    assert Drug.objects.get().rules.get().change == change
    with pytest.raises(MoveRefused):
        actions.reject_change(change=change, by=das)
    events = AuditEvent.objects.filter(action__startswith="formulary.").order_by("pk")
    assert [(event.action, event.by) for event in events] == [
        ("formulary.propose", pillai), ("formulary.approve", das),
    ]  # fmt: skip


def test_the_database_itself_keeps_one_person_from_deciding_on_their_own(pillai, das):
    change = actions.propose_change(title="x", rows=[RULE], by=pillai)
    decided = {"state": "approved", "decided_at": timezone.now()}
    for by in (pillai, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            FormularyChange.objects.filter(pk=change.pk).update(**decided, decided_by=by)
    assert FormularyChange.objects.filter(pk=change.pk).update(**decided, decided_by=das) == 1


def test_in_the_admin_a_file_is_proposed_by_one_and_approved_by_another(pillai, das):
    add = reverse("admin:consult_formularychange_add")
    changes = reverse("admin:consult_formularychange_changelist")
    file = io.BytesIO(write_csv([dict.fromkeys(COLUMNS, "") | RULE]).encode())
    file.name = "testin.csv"
    by_pillai, by_das = as_staff(pillai), as_staff(das)
    assert by_pillai.post(add, {"title": "Testin", "file": file}).status_code == 302
    change = FormularyChange.objects.get()
    assert (change.state, change.proposed_by) == ("proposed", pillai)
    decide = {"action": "approve", "_selected_action": [change.pk]}
    page = by_pillai.post(changes, decide, follow=True).content.decode()
    assert "Another person than the one who proposed it must decide." in page
    assert not Drug.objects.exists()
    assert "Approved: Testin." in by_das.post(changes, decide, follow=True).content.decode()
    assert Drug.objects.get().generic == "Testin"
    shown = by_das.get(reverse("admin:consult_formularychange_change", args=[change.pk]))
    assert "committee, 3 January 2026" in shown.content.decode()


def test_a_wrong_row_is_shown_again_in_the_admin_and_nothing_is_kept(pillai):
    page = as_staff(pillai).post(
        reverse("admin:consult_formularychange_add"),
        {"title": "Testin", "text": "generic,list\nTestin,Q\n"},
    )
    assert page.status_code == 200
    assert "Row 1: list is O, A, B or X (prohibited)." in page.content.decode()
    assert "Testin,Q" in page.content.decode()
    assert not FormularyChange.objects.exists()


def test_who_may_only_propose_is_offered_no_approval(pillai):
    actions.propose_change(title="x", rows=[RULE], by=pillai)
    clerk = a_user(name="Clerk", is_staff=True)
    clerk.totpdevice_set.create(name="app", confirmed=True)
    names = ["view_formularychange", "add_formularychange", "view_drug"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    page = as_staff(clerk).get(reverse("admin:consult_formularychange_changelist"))
    assert page.status_code == 200
    assert 'value="approve"' not in page.content.decode()


def test_the_formulary_is_exported_from_the_admin_and_that_is_written_down(pillai):
    the_formulary()
    answer = as_staff(pillai).get(reverse("admin:consult_drug_export"))
    assert answer["Content-Type"].startswith("text/csv")
    rows = read_csv(answer.content.decode())
    assert {row["generic"] for row in rows} == set(Drug.objects.values_list("generic", flat=True))
    assert AuditEvent.objects.get(action="formulary.export").by == pillai
    stranger = a_user(name="Clerk", is_staff=True)
    stranger.totpdevice_set.create(name="app", confirmed=True)
    assert as_staff(stranger).get(reverse("admin:consult_drug_export")).status_code == 403
