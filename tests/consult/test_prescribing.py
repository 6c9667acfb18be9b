"""Issuing: what it needs, that it happens once, and that what was issued never changes."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Message
from consult import actions
from consult.actions import IssueRefused, Line
from consult.fetch import DOCTORS
from consult.models import Consultation, Note, Prescription, PrescriptionLine
from queues.models import MoveRefused
from tests.at_once import at_once, behind
from tests.constraints import taken
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_doctors_form,
    as_patient,
    as_staff,
    in_the_room,
    on_duty,
    prescribed,
    the_formulary,
)

pytestmark = pytest.mark.django_db
FOLIC_ACID = Line("Folic acid", "tablet", "5 mg", "1", "od", 2)


@pytest.fixture
def consultation() -> Consultation:
    the_formulary()
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def press(consultation: Consultation, button: str, *lines: Line, **fields: str):
    client = as_staff(consultation.doctor.user)
    path = reverse("consult:save", args=[consultation.uid])
    return client.post(path, a_doctors_form(*lines, **{button: "1"}, **fields))


def write(consultation: Consultation, *lines: Line, diagnosis: str = "Viral fever") -> None:
    by = consultation.doctor.user
    actions.save_note(consultation=consultation, by=by, diagnosis=diagnosis)
    actions.save_lines(consultation=consultation, lines=list(lines), by=by)


def why_not(consultation: Consultation, doctor=None) -> str:
    with pytest.raises(IssueRefused) as refused:
        actions.issue_prescription(consultation=consultation, doctor=doctor or consultation.doctor)
    return refused.value.reason


def states(consultation: Consultation) -> list[tuple[int, str]]:
    return list(consultation.prescriptions.order_by("version").values_list("version", "state"))


# --- what it needs ------------------------------------------------------------------------------
def test_the_button_issues_numbers_and_tells_the_patient(consultation):
    response = press(consultation, "issue", PARACETAMOL, FOLIC_ACID)
    assert response.url == reverse("consult:doctors_room", args=[consultation.uid])
    issued = Prescription.objects.get()
    assert (issued.state, issued.version, issued.issued_by) == ("issued", 1, consultation.doctor)
    assert issued.number == f"RX{timezone.localdate():%y%m%d}-{issued.pk}"
    assert [line["generic"] for line in issued.document["lines"]] == ["Paracetamol", "Folic acid"]
    sms = Message.objects.get(template__key="prescription")
    assert sms.to == consultation.patient.account.phone
    assert issued.number in sms.text
    assert "Paracetamol" not in sms.text
    event = AuditEvent.objects.get(action="prescription.issue")
    assert (event.by, event.patient) == (consultation.doctor.user, consultation.patient)


def test_it_needs_a_diagnosis(consultation):
    write(consultation, PARACETAMOL, diagnosis=" ")
    assert why_not(consultation) == "no_diagnosis"
    page = press(consultation, "issue", PARACETAMOL, diagnosis="")
    assert page.status_code == 409
    assert "Write a diagnosis or a provisional diagnosis first." in page.content.decode()
    assert states(consultation) == [(1, "draft")]


def test_it_needs_a_medicine(consultation):
    write(consultation)
    assert why_not(consultation) == "no_lines"
    page = press(consultation, "issue")
    assert page.status_code == 409
    assert "There is no medicine to prescribe." in page.content.decode()


def test_another_doctor_and_an_unverified_one_are_refused(consultation):
    write(consultation, PARACETAMOL)
    assert why_not(consultation, a_doctor()) == "not_yours"
    rao = consultation.doctor
    rao.verified_at = rao.verified_by = None
    rao.save()
    assert why_not(consultation, rao) == "not_verified"
    assert press(consultation, "issue", PARACETAMOL).status_code == 409
    assert states(consultation) == [(1, "draft")]


def test_after_the_end_nothing_is_issued(consultation):
    write(consultation, PARACETAMOL)
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    assert why_not(consultation) == "over"
    assert states(consultation) == []


# --- once ---------------------------------------------------------------------------------------
def test_a_double_click_issues_once(consultation):
    answers = [press(consultation, "issue", PARACETAMOL).status_code for _click in range(3)]
    assert answers == [302, 409, 409]
    assert states(consultation) == [(1, "issued")]
    assert Message.objects.filter(template__key="prescription").count() == 1


def test_a_late_autosave_of_the_same_words_begins_no_new_version(consultation):
    press(consultation, "issue", PARACETAMOL)
    assert press(consultation, "save", PARACETAMOL).status_code == 302
    assert states(consultation) == [(1, "issued")]


def test_another_tab_with_other_medicines_is_told_and_changes_nothing(consultation):
    press(consultation, "issue", PARACETAMOL)
    for button in ("save", "issue", "finish"):
        page = press(consultation, button, FOLIC_ACID)
        assert page.status_code == 409
        assert "The prescription is issued already." in page.content.decode()
    assert states(consultation) == [(1, "issued")]
    consultation.refresh_from_db()
    assert consultation.state == "in_progress"


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_issue_at_once_issue_one():
    the_formulary()
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    write(consultation, PARACETAMOL)

    def issue(_tab: int) -> str:
        try:
            return actions.issue_prescription(
                consultation=consultation, doctor=consultation.doctor
            ).state
        except IssueRefused as refused:
            return refused.reason

    assert sorted(at_once(3, issue)) == ["issued", "issued", "issued"]
    assert states(consultation) == [(1, "issued")]
    assert Message.objects.filter(template__key="prescription").count() == 1


# --- the note, in one statement -----------------------------------------------------------------
def test_another_hand_changes_only_what_it_is_about(consultation):
    by = consultation.doctor.user
    actions.save_note(consultation=consultation, by=by, diagnosis="Fever", icd10="R50.9")
    stale = Consultation.objects.get(pk=consultation.pk)
    with CaptureQueriesContext(connection) as asked:
        actions.save_note(consultation=stale, by=by, diagnosis="Malaria", advice="Rest")
    note = Note.objects.get()
    assert (note.diagnosis, note.icd10, note.advice) == ("Malaria", "R50.9", "Rest")
    written = AuditEvent.objects.filter(action="note.write", patient=consultation.patient)
    assert [event.by for event in written] == [by, by]
    if connection.vendor == "postgresql":
        assert sum("consult_note" in one["sql"] for one in asked if "INSERT" in one["sql"]) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_note_that_waits_for_the_end_of_the_consultation_is_not_written():
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    by = consultation.doctor.user

    def save() -> None:
        actions.save_note(consultation=consultation, by=by, diagnosis="Too late")

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            actions.complete(consultation=Consultation.objects.get(pk=consultation.pk), by=by)
            saving = behind(thread, save)
        with pytest.raises(MoveRefused):
            saving.result()
    assert not Note.objects.exists()
    assert not AuditEvent.objects.filter(action="note.write").exists()


# --- the first medicines, in one statement with it ----------------------------------------------
def as_the_page_reads(consultation: Consultation) -> Consultation:
    (found,) = DOCTORS.all(whose=consultation.doctor_id, uid=consultation.uid)
    return found


def test_the_first_medicines_are_written_with_the_note(consultation):
    by, page = consultation.doctor.user, as_the_page_reads(consultation)
    words, lines = {"diagnosis": "Viral fever"}, [PARACETAMOL, FOLIC_ACID]
    with CaptureQueriesContext(connection) as asked:
        rows = actions.keep_written(consultation=page, by=by, words=words, lines=lines)
    if connection.vendor == "postgresql":
        assert len(asked) == 1
    draft = Prescription.objects.get()
    assert rows[0].prescription == draft
    assert [Line.drafted(row) for row in draft.lines.all()] == lines
    assert Note.objects.get() == page.note
    written = AuditEvent.objects.filter(patient=consultation.patient, by=by).order_by("action")
    targets = {
        "note.write": f"consultation:{page.uid}",
        "prescription.draft": f"prescription:{draft.uid}",
    }
    assert dict(written.filter(action__in=targets).values_list("action", "target")) == targets


@pytest.mark.parametrize("words", [None, {"diagnosis": "Viral fever"}])
def test_two_pages_that_write_the_first_medicines_write_one_draft(consultation, words):
    by = consultation.doctor.user
    pages = [as_the_page_reads(consultation) for _page in range(2)]
    for page, line in zip(pages, [PARACETAMOL, FOLIC_ACID], strict=True):
        (row,) = actions.keep_written(consultation=page, by=by, words=words, lines=[line])
        assert Line.drafted(PrescriptionLine.objects.get()) == Line.drafted(row) == line
    assert states(consultation) == [(1, "draft")]
    assert Note.objects.count() == bool(words)


def test_nothing_is_begun_once_it_has_ended(consultation):
    by, page = consultation.doctor.user, as_the_page_reads(consultation)
    actions.complete(consultation=consultation, by=by)
    with pytest.raises(MoveRefused):
        actions.keep_written(
            consultation=page, by=by, words={"advice": "Rest"}, lines=[PARACETAMOL]
        )
    assert not Note.objects.exists()
    assert not Prescription.objects.exists()


# --- it never changes ---------------------------------------------------------------------------
def test_what_is_issued_says_the_same_when_everything_behind_it_changes(consultation):
    issued = prescribed(consultation)
    frozen = issued.document
    assert frozen["patient"]["address"] == "12 Canal Road, Kerala"
    assert (frozen["patient"]["name"], frozen["patient"]["age"]) == ("Asha Menon", 34)
    patient, doctor = consultation.patient, consultation.doctor
    patient.address, patient.name = "1 New Street", "Asha Nair"
    patient.save()
    doctor.registration_number = "KL-other"
    doctor.save()
    doctor.user.name = "Dr Other"
    doctor.user.save()
    actions.save_note(consultation=consultation, by=doctor.user, diagnosis="Malaria")
    issued.refresh_from_db()
    assert issued.document == frozen
    page = as_patient(patient.account).get(f"/check/{issued.check_code}/").content.decode()
    assert "Dr Raghav Rao" in page


def test_an_issued_prescription_is_issued_no_second_time_and_goes_back_to_no_draft(consultation):
    issued = prescribed(consultation)
    with pytest.raises(MoveRefused):
        issued.issuing(doctor=consultation.doctor, number="RX-2", document={})
    issued.supersede()
    with pytest.raises(MoveRefused):
        issued.supersede()
    assert set(Prescription.NEXT) == set(Prescription.State.values)


# --- a correction -------------------------------------------------------------------------------
def test_a_correction_is_a_new_version_and_the_old_one_holds_until_it_is_issued(consultation):
    first = prescribed(consultation)
    client = as_staff(consultation.doctor.user)
    revise = reverse("consult:revise", args=[consultation.uid])
    room = reverse("consult:doctors_room", args=[consultation.uid])
    for _click in range(2):
        assert client.post(revise).url == room
    assert states(consultation) == [(1, "issued"), (2, "draft")]
    draft = consultation.prescriptions.get(version=2)
    assert [line.generic for line in draft.lines.all()] == ["Paracetamol"]
    assert press(consultation, "issue", FOLIC_ACID).status_code == 302
    assert states(consultation) == [(1, "superseded"), (2, "issued")]
    second = consultation.prescriptions.get(version=2)
    assert second.number != first.number
    assert second.document["version"] == 2
    assert [line["generic"] for line in second.document["lines"]] == ["Folic acid"]
    told = {
        one.version: client.get(f"/check/{one.check_code}/").content.decode()
        for one in (first, second)
    }
    assert "Replaced by a newer one" in told[1]
    assert "Replaced by a newer one" not in told[2]
    page = as_patient(consultation.patient.account).get(
        reverse("consult:visit", args=[consultation.uid])
    )
    assert page.context["issued"] == second


def test_a_correction_that_is_emptied_leaves_the_issued_one_in_force(consultation):
    first = prescribed(consultation)
    actions.revise_prescription(consultation=consultation, by=consultation.doctor.user)
    press(consultation, "finish", None, initial=1)
    consultation.refresh_from_db()
    assert (consultation.state, states(consultation)) == ("completed", [(1, "issued")])
    assert consultation.prescriptions.get() == first


def test_there_is_nothing_to_correct_before_the_first_and_after_the_end(consultation):
    client = as_staff(consultation.doctor.user)
    revise = reverse("consult:revise", args=[consultation.uid])
    page = client.post(revise, follow=True)
    assert "There is no prescription to correct." in page.content.decode()
    prescribed(consultation)
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    assert (
        "There is no prescription to correct." in client.post(revise, follow=True).content.decode()
    )
    assert states(consultation) == [(1, "issued")]


# --- what the database keeps --------------------------------------------------------------------
def test_the_database_keeps_one_draft_one_current_and_each_version_once(consultation):
    def a_row(version: int, state: str) -> bool:
        whole = {
            "issued_at": timezone.now(),
            "issued_by": consultation.doctor,
            "number": f"RX-{version}",
            "document": {},
        }
        return taken(
            Prescription.objects.create,
            consultation=consultation,
            version=version,
            state=state,
            **({} if state == "draft" else whole),
        )

    assert a_row(1, "issued") is True
    assert a_row(2, "issued") is False
    assert a_row(2, "superseded") is True
    assert a_row(3, "superseded") is True
    assert a_row(4, "draft") is True
    assert a_row(5, "draft") is False
    assert a_row(3, "draft") is False


@pytest.mark.parametrize("lacks", ["issued_at", "issued_by", "number", "document"])
def test_what_is_issued_is_whole_and_a_draft_claims_nothing(consultation, lacks):
    whole = {
        "issued_at": timezone.now(),
        "issued_by": consultation.doctor,
        "number": "RX-1",
        "document": {},
    }
    row = {"consultation": consultation}
    for state in ("issued", "superseded"):
        some = {name: value for name, value in whole.items() if name != lacks}
        assert taken(Prescription.objects.create, **row, state=state, **some) is False
    assert (
        taken(Prescription.objects.create, **row, state="draft", **{lacks: whole[lacks]}) is False
    )
    assert taken(Prescription.objects.create, **row, state="issued", **whole) is True
    assert (
        taken(Prescription.objects.create, **row, version=2, state="superseded", **whole) is False
    )


def test_a_line_has_its_place_once_and_lasts_a_day_to_half_a_year(consultation):
    draft = Prescription.objects.create(consultation=consultation)
    line = {"prescription": draft, "generic": "Zinc", "form": "tablet", "strength": "20 mg"}

    def a_row(position: int, days: int) -> bool:
        return taken(PrescriptionLine.objects.create, **line, position=position, days=days)

    assert [a_row(1, days) for days in (0, 181, 1)] == [False, False, True]
    assert (a_row(1, 5), a_row(2, 180)) == (False, True)


def test_the_doctors_room_shows_what_was_issued_and_can_still_be_finished(consultation):
    prescribed(consultation)
    room = reverse("consult:doctors_room", args=[consultation.uid])
    page = as_staff(consultation.doctor.user).get(room).content.decode()
    assert "<caption>Medicines</caption>" in page
    assert 'name="finish"' in page


# --- a page that stays --------------------------------------------------------------------------
def press_and_stay(consultation: Consultation, button: str, *lines: Line, **fields: str):
    client = as_staff(consultation.doctor.user)
    path = reverse("consult:save", args=[consultation.uid])
    data = a_doctors_form(*lines, **{button: "1"}, **fields)
    return client.post(path, data, headers={"X-Requested-With": "stay"})


def swaps(answer) -> list[str]:
    return re.findall(r'data-swap="(\w+)"', answer.content.decode())


def test_issuing_answers_a_page_that_stays_with_the_form_alone(consultation):
    answer = press_and_stay(consultation, "issue", PARACETAMOL, findings="Throat red")
    issued = Prescription.objects.get(state="issued")
    page = answer.content.decode()
    assert (answer.status_code, swaps(answer)) == (200, ["told", "form"])
    assert f'data-room data-state="{consultation.state}"' in page
    for words in [f"Prescription {issued.number} is issued.", "Paracetamol", "Throat red",
                  "Correct the prescription", f"{issued.number} (PDF)"]:  # fmt: skip
        assert words in page
    assert 'name="issue"' not in page
    room = reverse("consult:doctors_room", args=[consultation.uid])
    whole = as_staff(consultation.doctor.user).get(room).content.decode()
    form = re.search(r"<form [^>]*data-autosave.*?</form>", page, re.DOTALL)
    assert without_key(form[0]) in without_key(whole)


def without_key(html: str) -> str:
    return re.sub(r'csrfmiddlewaretoken" value="\w+"|\s+', "", html)


def test_a_page_that_stays_is_told_why_not_beside_what_it_wrote(consultation):
    answer = press_and_stay(consultation, "issue", PARACETAMOL, diagnosis="")
    assert (answer.status_code, swaps(answer)) == (409, ["told", "case", "write", "form"])
    assert "Write a diagnosis" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    wrong = Line("Paracetamol", "tablet", "500 mg", "1-0-1", "bd", 500)
    answer = press_and_stay(consultation, "save", wrong, findings="Throat red")
    assert answer.status_code == 422
    for words in ["Between 1 and 180 days.", "Throat red", 'value="500"']:
        assert words in answer.content.decode()


# --- saving again -------------------------------------------------------------------------------
def test_what_has_not_changed_is_not_written_again(consultation):
    press(consultation, "save", PARACETAMOL, FOLIC_ACID)
    note, rows = consultation.note, list(PrescriptionLine.objects.values())
    events = AuditEvent.objects.count()
    press(consultation, "save", PARACETAMOL, FOLIC_ACID)
    assert Note.objects.get().written_at == note.written_at
    assert list(PrescriptionLine.objects.values()) == rows
    assert AuditEvent.objects.count() == events
    with CaptureQueriesContext(connection) as asked:
        press(consultation, "save", PARACETAMOL, replace(FOLIC_ACID, days=9))
    written = [one["sql"] for one in asked if one["sql"].startswith("UPDATE")]
    assert len([sql for sql in written if "consult_prescriptionline" in sql]) == 1
    (first, second) = PrescriptionLine.objects.values()
    assert first == rows[0]
    assert second == rows[1] | {"days": 9}
    press(consultation, "save", FOLIC_ACID, diagnosis="Anaemia")
    assert [row.generic for row in PrescriptionLine.objects.all()] == ["Folic acid"]
    assert Note.objects.get().diagnosis == "Anaemia"


def test_a_page_of_a_talk_that_has_ended_hears_it_even_if_nothing_changed(consultation):
    press(consultation, "save", diagnosis="Viral fever")
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    client = as_staff(consultation.doctor.user)
    path = reverse("consult:save", args=[consultation.uid])
    quietly = {"X-Requested-With": "fetch"}
    assert client.post(path, a_doctors_form(), headers=quietly).status_code == 409
