"""One row of each model, as the admin shows them."""

import uuid
from datetime import date, time, timedelta
from itertools import count

from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import (
    AuditEvent,
    District,
    Doctor,
    Enrolment,
    Facility,
    Message,
    Patient,
    PhoneDevice,
    Post,
    SmsTemplate,
    Speciality,
    State,
    User,
)
from consult.models import (
    Attachment,
    ChatMessage,
    Consent,
    Consultation,
    Dispensing,
    Feedback,
    FollowUp,
    Grievance,
    Instruction,
    Note,
    Observation,
    Opinion,
    Prescription,
    PrescriptionLine,
    Referral,
)
from queues.models import Clinic, ClinicHours, Duty, HubLink, Presence, Token

numbers = count(1)


def make_user(**fields) -> User:
    number = next(numbers)
    fields = {"phone": f"+9190000{number:05d}", "name": f"Person {number}"} | fields
    return User.objects.create(password="!", **fields)


def make_state() -> State:
    return State.objects.get_or_create(code=32, defaults={"name": "Kerala"})[0]


def make_facility(**fields) -> Facility:
    name = f"Health centre {next(numbers)}"
    return Facility.objects.create(**{"name": name, "kind": "phc", "state": make_state()} | fields)


def make_doctor(**fields) -> Doctor:
    number = next(numbers)
    fields = {
        "user": fields.get("user") or make_user(name=f"Dr {number}"),
        "speciality": make_speciality(),
        "facility": make_facility(),
        "qualification": "MBBS",
        "registration_number": f"T-{number}",
        "council": "Test Council",
        "contact": "0484 000000",
    } | fields
    return Doctor.objects.create(**fields)


def make_speciality() -> Speciality:
    return Speciality.objects.get_or_create(code="general", defaults={"name": "General"})[0]


def make_patient(**fields) -> Patient:
    fields = {
        "account": fields.get("account") or make_user(),
        "name": f"Asha {next(numbers)}",
        "sex": "female",
        "birth_date": date(1990, 5, 1),
        "address": "Lake Road 1",
        "state": make_state(),
        "language": "en",
    } | fields
    return Patient.objects.create(**fields)


def make_clinic(**fields) -> Clinic:
    fields = {
        "name": f"Clinic {next(numbers)}",
        "state": make_state(),
        "speciality": make_speciality(),
        "facility": make_facility(),
    } | fields
    clinic = Clinic.objects.create(**fields)
    ClinicHours.objects.create(clinic=clinic, weekday=0, opens=time(9), closes=time(12))
    return clinic


def make_duty() -> Duty:
    return Duty.objects.create(doctor=make_doctor(), clinic=make_clinic())


def make_token() -> Token:
    return Token.objects.create(
        clinic=make_clinic(),
        day=timezone.localdate(),
        number=1,
        patient=make_patient(),
        doctor=make_doctor(),
    )


def make_consultation() -> Consultation:
    token = make_token()
    return Consultation.objects.create(
        patient=token.patient,
        clinic=token.clinic,
        token=token,
        doctor=token.doctor,
        complaint="Fever since Monday",
        since="days",
        state="in_progress",
        requested_at=timezone.now(),
        started_at=timezone.now(),
    )


def make_note() -> Note:
    consultation = make_consultation()
    return Note.objects.create(
        consultation=consultation, diagnosis="Viral fever", written_by=consultation.doctor.user
    )


def make_prescription() -> Prescription:
    consultation = make_consultation()
    prescription = Prescription.objects.create(
        consultation=consultation,
        state="issued",
        number=f"RX-{next(numbers)}",
        issued_at=timezone.now(),
        issued_by=consultation.doctor,
        document={"diagnosis": "Viral fever"},
    )
    PrescriptionLine.objects.create(
        prescription=prescription, position=1, generic="Paracetamol", form="tablet",
        strength="500 mg", dose="1", frequency="tds", days=3,
    )  # fmt: skip
    return prescription


def make_attachment() -> Attachment:
    consultation = make_consultation()
    return Attachment.objects.create(
        consultation=consultation,
        uploaded_by=consultation.patient.account,
        file="attachments/ab/secret-path",
        name="report.pdf",
        kind="application/pdf",
        size=10,
    )


def make_chat_message() -> ChatMessage:
    consultation = make_consultation()
    return ChatMessage.objects.create(
        consultation=consultation,
        author=consultation.patient.account,
        client_id=uuid.uuid4(),
        text="Good morning, doctor",
    )


def make_consent() -> Consent:
    consultation = make_consultation()
    return Consent.objects.create(
        consultation=consultation,
        version="1",
        language="en",
        given_by=consultation.patient.account,
    )


def make_feedback() -> Feedback:
    return Feedback.objects.create(consultation=make_consultation(), stars=5, words="Good")


def make_grievance(**fields) -> Grievance:
    return Grievance.objects.create(about="waiting", words="I waited two hours.", **fields)


def make_message(**fields) -> Message:
    number = next(numbers)
    template = SmsTemplate.objects.create(key=f"key-{number}", language="en", text="{code}")
    return Message.objects.create(template=template, to="+919000000001", **{"text": "Hi"} | fields)


def make_audit_event() -> AuditEvent:
    patient = make_patient()
    return AuditEvent.objects.create(action="patient.read", by=make_user(), patient=patient)


def make_totp() -> TOTPDevice:
    return TOTPDevice.objects.create(user=make_user(), name="app")


def make_post() -> Post:
    return Post.objects.create(user=make_user(), facility=make_facility(), role="doctor")


def make_district() -> District:
    return District.objects.create(code=next(numbers), name="Gaya", state=make_state())


def make_hub_link() -> HubLink:
    return HubLink.objects.create(spoke=make_facility(), clinic=make_clinic())


def make_presence() -> Presence:
    until = timezone.now() + timedelta(minutes=1)
    return Presence.objects.create(token=make_token(), until=until)


def make_phone_device() -> PhoneDevice:
    number = f"+9180000{next(numbers):05d}"
    return PhoneDevice.objects.create(user=make_user(), phone=number, code_hash="ab" * 32)


def make_enrolment() -> Enrolment:
    return Enrolment.objects.create(
        patient=make_patient(), facility=make_facility(), enrolled_by=make_user()
    )


def make_observation() -> Observation:
    consultation = make_consultation()
    return Observation.objects.create(
        consultation=consultation, patient=consultation.patient, kind="pulse", value=72,
        loinc="8867-4", unit="/min", taken_by=make_user(),
    )  # fmt: skip


def make_instruction() -> Instruction:
    consultation = make_consultation()
    return Instruction.objects.create(
        consultation=consultation,
        words="Measure the pulse again",
        asked_by=consultation.doctor.user,
    )


def make_opinion() -> Opinion:
    consultation = make_consultation()
    return Opinion.objects.create(
        consultation=consultation, clinic=make_clinic(), asked_by=consultation.doctor,
        question="Is it scabies?",
    )  # fmt: skip


def make_referral() -> Referral:
    consultation = make_consultation()
    return Referral.objects.create(
        consultation=consultation, facility=make_facility(), urgency="routine", reason="X-ray",
        number=f"RF-{next(numbers)}", document={}, issued_by=consultation.doctor,
    )  # fmt: skip


def make_follow_up() -> FollowUp:
    consultation = make_consultation()
    return FollowUp.objects.create(
        consultation=consultation, patient=consultation.patient, facility=make_facility(),
        due_on=timezone.localdate(),
    )  # fmt: skip


def make_dispensing() -> Dispensing:
    line = make_prescription().lines.get()
    return Dispensing.objects.create(
        line=line, given="given", facility=make_facility(), dispensed_by=make_user()
    )


CLINICAL = [
    make_attachment, make_chat_message, make_consent, make_consultation, make_dispensing,
    make_enrolment, make_feedback, make_follow_up, make_instruction, make_note, make_observation,
    make_opinion, make_prescription, make_referral, make_token,
]  # fmt: skip
MAKERS = [
    *CLINICAL, make_audit_event, make_clinic, make_district, make_doctor, make_duty, make_facility,
    make_grievance, make_hub_link, make_message, make_patient, make_phone_device, make_post,
    make_presence, make_totp, make_user,
]  # fmt: skip
READ_ONLY = [
    *CLINICAL, make_audit_event, make_duty, make_message, make_phone_device, make_presence,
]  # fmt: skip
AUDITED = [*CLINICAL, make_patient]
