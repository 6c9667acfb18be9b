"""Around a prescription: earlier care, the emergency button, and refills."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Message
from consult import actions
from consult.actions import IssueRefused, Line
from consult.models import Consultation, EmergencyReferral, InPersonVisit, RefillRequest
from queues.models import MoveRefused, Token
from tests.at_once import at_once, behind
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_doctors_form,
    a_user,
    as_patient,
    as_staff,
    in_the_room,
    issued_with_reasons,
    on_duty,
    prescribed,
    refused_to,
    the_formulary,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def consultation() -> Consultation:
    the_formulary()
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def press(consultation: Consultation, name: str, **fields: object):
    client = as_staff(consultation.doctor.user)
    return client.post(reverse(f"consult:{name}", args=[consultation.uid]), fields)


def room_of(consultation: Consultation) -> str:
    client = as_staff(consultation.doctor.user)
    return client.get(reverse("consult:doctors_room", args=[consultation.uid])).content.decode()


# --- earlier care -------------------------------------------------------------------------------
def a_visit_form(**fields: object) -> dict[str, object]:
    return {
        "visit-condition": "Hypertension",
        "visit-seen_on": (timezone.localdate() - timedelta(days=10)).isoformat(),
        "visit-place": "PHC Ernakulam",
        "visit-medicines": "Atenolol",
        "visit-confirmed": "on",
    } | fields


def test_the_doctor_records_a_visit_in_person_and_the_page_says_follow_up(consultation):
    assert "First consultation" in room_of(consultation)
    assert press(consultation, "record_visit", **a_visit_form()).status_code == 302
    assert "Follow-up of Hypertension, seen in person on" in room_of(consultation)
    assert press(consultation, "record_visit", none="1").status_code == 302
    assert "First consultation" in room_of(consultation)
    visit = InPersonVisit.objects.get()
    assert press(consultation, "record_visit", earlier=visit.pk).status_code == 302
    assert "Follow-up of Hypertension" in room_of(consultation)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"visit-seen_on": "2020-01-01"}, "That is more than six months ago; it does not count."),
        ({"visit-seen_on": "2999-01-01"}, "This day lies in the future."),
        ({"visit-confirmed": ""}, "This field is required."),
        ({"visit-condition": ""}, "This field is required."),
    ],
)
def test_a_visit_that_cannot_count_is_shown_again_with_a_sentence(consultation, change, sentence):
    page = press(consultation, "record_visit", **a_visit_form(**change))
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert 'value="PHC Ernakulam"' in page.content.decode()
    assert not InPersonVisit.objects.exists()


def test_another_doctors_visit_with_the_patient_is_not_offered_and_not_taken(consultation):
    visit = InPersonVisit.objects.create(
        patient=consultation.patient, doctor=a_doctor(), condition="Asthma", place="x",
        seen_on=timezone.localdate(),
    )  # fmt: skip
    assert "Asthma" not in room_of(consultation)
    assert press(consultation, "record_visit", earlier=visit.pk).status_code == 404


def test_an_earlier_prescription_is_recorded_by_who_saw_it(consultation):
    form = {
        "paper-generic": "Metformin", "paper-written_by": "Dr Das",
        "paper-written_on": timezone.localdate().isoformat(),
    }  # fmt: skip
    assert press(consultation, "record_paper", **form).status_code == 302
    paper = consultation.paper_prescriptions.get()
    assert (paper.generic, paper.seen_by) == ("Metformin", consultation.doctor.user)
    assert press(consultation, "record_paper", **form | {"paper-generic": ""}).status_code == 422


# --- emergency ----------------------------------------------------------------------------------
REFER = {
    "emergency-first_aid": "Lie down, loosen clothes, aspirin 300 mg to chew.",
    "emergency-refer_to": "General Hospital Ernakulam, casualty",
    "emergency-told": "on",
}


def test_an_emergency_tells_the_patient_at_once_and_nothing_is_prescribed_any_more(consultation):
    prescribed_before = actions.save_lines(
        consultation=consultation, lines=[PARACETAMOL], by=consultation.doctor.user
    )
    actions.save_note(consultation=consultation, by=consultation.doctor.user, diagnosis="MI")
    for _click in range(2):
        assert press(consultation, "emergency").status_code == 302
    patient = as_patient(consultation.patient.account)
    page = patient.get(reverse("consult:visit", args=[consultation.uid])).content.decode()
    assert "Go to a hospital now." in page
    assert "tel:108" in page
    assert Message.objects.filter(template__key="emergency").count() == 1
    with pytest.raises(IssueRefused) as refused:
        actions.issue_prescription(consultation=consultation, doctor=consultation.doctor)
    assert refused.value.reason == "emergency"
    assert prescribed_before.state == "draft"


def test_an_emergency_has_no_routine_end(consultation):
    press(consultation, "emergency")
    finish = press(consultation, "save", **a_doctors_form(finish="1"))
    assert finish.status_code == 409
    assert "write the first aid and where the patient goes" in finish.content.decode()
    back = {"return-reason": "wrong_speciality", "return-words": "Elsewhere"}
    assert press(consultation, "send_back", **back).status_code == 409
    consultation.refresh_from_db()
    assert consultation.state == "in_progress"
    for missing in REFER:
        assert press(consultation, "refer_emergency", **REFER | {missing: ""}).status_code == 422
    assert press(consultation, "refer_emergency", **REFER).status_code == 302
    consultation.refresh_from_db()
    assert (consultation.state, consultation.end_reason) == ("returned", "emergency")
    assert Token.objects.get(pk=consultation.token_id).state == "done"
    kept = EmergencyReferral.objects.get()
    assert kept.told_at is not None
    patient = as_patient(consultation.patient.account)
    page = patient.get(reverse("consult:visit", args=[consultation.uid])).content.decode()
    assert "General Hospital Ernakulam, casualty" in page
    assert "tel:108" in page


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_an_emergency_ends_beside_whoever_else_ends_the_talk_and_nobody_waits_for_ever():
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    by = consultation.doctor.user
    actions.declare_emergency(consultation=consultation, by=by)

    def refer() -> None:
        actions.refer_emergency(
            consultation=Consultation.objects.get(), by=by, first_aid="x", refer_to="y"
        )

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            Token.objects.select_for_update().get()
            referring = behind(thread, refer)
            patient = consultation.patient.account
            actions.report_abuse(consultation=consultation, by=patient, words="Rude")
        with pytest.raises(MoveRefused):
            referring.result()
    assert Consultation.objects.get().end_reason == "reported"
    assert EmergencyReferral.objects.get().told_at is None


def test_what_was_never_called_an_emergency_does_not_end_as_one(consultation):
    with pytest.raises(MoveRefused):
        actions.refer_emergency(
            consultation=consultation, by=consultation.doctor.user, first_aid="x", refer_to="y"
        )
    assert press(consultation, "refer_emergency", **REFER).status_code == 302
    consultation.refresh_from_db()
    assert consultation.state == "in_progress"


# --- refills ------------------------------------------------------------------------------------
@pytest.fixture
def issued(consultation):
    found = prescribed(consultation, Line("Folic acid", "tablet", "5 mg", "1-0-0", "od", 30))
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    return found


def ask(consultation: Consultation, **fields: str):
    client = as_patient(consultation.patient.account)
    form = {"words": "I am well", "consent": "on"} | fields
    return client.post(reverse("consult:ask_refill", args=[consultation.uid]), form, follow=True)


def test_a_refill_lands_on_the_same_doctors_desk_and_ends_as_a_prescription(consultation, issued):
    page = ask(consultation).content.decode()
    assert "The doctor has not looked at it yet." in page
    assert "already" in ask(consultation).content.decode()
    refill = RefillRequest.objects.get()
    assert refill.doctor == issued.issued_by
    desk = as_staff(issued.issued_by.user)
    assert "I am well" in desk.get("/doctor/").content.decode()
    other = as_staff(on_duty(consultation.clinic, a_doctor()).user)
    assert "I am well" not in other.get("/doctor/").content.decode()
    taken = desk.post(reverse("consult:take_refill", args=[refill.uid]))
    later = Consultation.objects.latest("pk")
    assert taken.url == reverse("consult:doctors_room", args=[later.uid])
    assert (later.state, later.is_written, later.token) == ("in_progress", True, None)
    assert later.consent.given_by == consultation.patient.account
    assert [line.generic for line in actions.draft_lines(later)] == ["Folic acid"]
    assert "Go on" in desk.get("/doctor/").content.decode()  # listed until it is finished
    actions.save_note(consultation=later, by=later.doctor.user, diagnosis="Anaemia")
    assert issued_with_reasons(later).document["consult_type"] == "first"
    actions.complete(consultation=later, by=later.doctor.user)
    assert "I am well" not in desk.get("/doctor/").content.decode()


def test_a_refill_is_asked_with_words_and_consent_by_the_patient_alone(consultation, issued):
    client = as_patient(consultation.patient.account)
    path = reverse("consult:ask_refill", args=[consultation.uid])
    assert client.get(path).status_code == 200
    for lacking in ({"words": ""}, {"consent": ""}):
        form = {"words": "x", "consent": "on"} | lacking
        assert client.post(path, form).status_code == 422
    stranger = a_user()
    assert as_patient(stranger).post(path, {"words": "x", "consent": "on"}).status_code == 404
    assert refused_to(stranger) == [f"consultation:{consultation.uid}"]
    assert not RefillRequest.objects.exists()


def test_a_refill_can_be_withdrawn_until_the_doctor_looks_at_it(consultation, issued):
    ask(consultation)
    refill = RefillRequest.objects.get()
    withdraw = reverse("consult:withdraw_refill", args=[refill.uid])
    take = reverse("consult:take_refill", args=[refill.uid])
    stranger, other = a_user(), a_doctor()
    assert as_patient(stranger).post(withdraw).status_code == 404
    assert as_staff(other.user).post(take).status_code == 404
    assert refused_to(stranger) == refused_to(other.user) == [f"refillrequest:{refill.uid}"]
    as_patient(consultation.patient.account).post(withdraw)
    as_staff(issued.issued_by.user).post(take)
    refill.refresh_from_db()
    assert (refill.state, refill.consultation) == ("withdrawn", None)
    ask(consultation)
    assert RefillRequest.objects.filter(state="waiting").count() == 1
    actions_done = AuditEvent.objects.filter(action__startswith="refill.")
    assert list(actions_done.order_by("pk").values_list("action", flat=True)) == [
        "refill.request", "refill.withdraw", "refill.request",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_clicks_on_a_refill_open_one_consultation():
    the_formulary()
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    issued = prescribed(consultation)
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    refill = actions.request_refill(
        prescription=issued, by=consultation.patient.account, words="x", language="en"
    )

    def take(_click: int) -> bool:
        try:
            actions.take_refill(refill=refill, doctor=consultation.doctor)
        except MoveRefused:
            return False
        return True

    assert sorted(at_once(3, take)) == [False, False, True]
    assert Consultation.objects.filter(is_written=True).count() == 1
