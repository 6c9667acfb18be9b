"""Consultations of every kind that a document must tell rightly, made by the actions themselves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts import actions as accounts
from accounts.models import Facility, Patient, Post, Speciality, User
from consult import actions
from consult.fhir.records import Record, record_of
from consult.models import Consultation, Prescription
from consult.readiness import Attested
from consult.uploads import clean_upload
from queues.models import Clinic, HubLink
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_district,
    a_doctor,
    a_draft,
    a_patient,
    a_pdf,
    a_phone,
    a_photo,
    a_speciality,
    a_state,
    an_upload,
    called,
    in_the_room,
    issued_with_reasons,
    on_duty,
    prescribed,
    the_formulary,
    waiting,
)

VITALS = {
    "temperature": Decimal("38.4"), "pulse": Decimal(96), "respiration": Decimal(18),
    "spo2": Decimal(97), "systolic": Decimal(128), "diastolic": Decimal(82),
    "weight": Decimal("61.5"), "height": Decimal(158), "glucose": Decimal(142),
}  # fmt: skip


def a_record(consultation: Consultation) -> Record:
    return record_of(consultation.pk)


def a_room(patient: Patient | None = None, **doctor: Any) -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic, a_doctor(**doctor)), patient)


def finished(consultation: Consultation) -> Consultation:
    doctor = consultation.doctor
    return actions.complete(consultation=consultation, by=doctor.user)


def a_centre(**fields: Any) -> Facility:
    return Facility.objects.create(
        **{"name": "Sub-centre Aroor", "kind": "sub_centre", "state": a_state(), **fields}
    )


def a_health_worker(facility: Facility) -> User:
    """Meena, who brings the patients of her health centre."""
    meena = User.objects.create(phone=a_phone(), name="Meena Kumari")
    Post.objects.create(user=meena, facility=facility, role=Post.Role.HEALTH_WORKER)
    accounts.accept_notice(by=meena, language="en")
    return meena


def a_hub(facility: Facility, **fields: Any) -> Clinic:
    general = a_speciality()
    Speciality.objects.filter(pk=general.pk).update(is_general=True)
    general.refresh_from_db()
    clinic = a_clinic(
        **{"name": "General OPD, Ernakulam", "takes_opd": False, "speciality": general, **fields}
    )
    HubLink.objects.create(spoke=facility, clinic=clinic)
    return clinic


def sent(facility: Facility, meena: User, clinic: Clinic, patient: Patient, **words: Any) -> Any:
    """A case that a health worker filled and sent."""
    draft = actions.open_case(patient=patient, facility=facility, by=meena)
    draft = actions.save_case(
        draft=draft,
        by=meena,
        revision=draft.revision,
        words={"complaint": "Fever with cough for four days", "since": "days", **words},
        vitals=VITALS,
    )
    sending = actions.Sending(clinic, proposed=clinic, said=Attested(True, True))
    return actions.send_case(draft=draft, sending=sending, by=meena)


def minimal() -> Consultation:
    return finished(a_room())


def full() -> Consultation:
    patient = a_patient(
        abha_number="91100000000008", abha_address="asha@abdm", abha_verified_at=timezone.now(),
        district=a_district(), birth_date=date(1991, 4, 2),
    )  # fmt: skip
    place = a_centre(name="District hospital Ernakulam", kind="district_hospital", hfr_id="IN3210000017",
                     address="Park Avenue", phone="+914840000000")  # fmt: skip
    room = a_room(patient, facility=place, hpr_id="71-1000-0000-0000", contact="rao@example.org")
    words = {
        "allergies": "penicillin", "history": "Asthma since childhood", "medicines": "salbutamol",
        "family_history": "diabetes in the mother", "examination": "Throat red",
    }  # fmt: skip
    Consultation.objects.filter(pk=room.pk).update(**words)
    actions.save_note(
        consultation=room, by=room.doctor.user, findings="Tonsils swollen", diagnosis="Acute tonsillitis",
        is_provisional=False, tests="Blood count\nCRP", advice="Rest, drink a lot",
        follow_up_on=timezone.localdate() + timedelta(days=5), icd10="J03.9",
        icd10_title="Acute tonsillitis, unspecified",
    )  # fmt: skip
    the_formulary()
    lines = [replace(PARACETAMOL, frequency=one) for one in ("od", "bd", "tds", "qid", "hs", "sos")]
    lines += [replace(PARACETAMOL, frequency=one, instructions="") for one in ("weekly", "stat")]
    actions.save_lines(consultation=room, lines=lines, by=room.doctor.user)
    issued_with_reasons(room)
    actions.measure_again(consultation=room, vitals=VITALS, by=patient.account)
    return finished(room)


def no_medicine() -> Consultation:
    room = a_room()
    actions.save_note(
        consultation=room, by=room.doctor.user, diagnosis="Common cold", advice="Rest"
    )
    return finished(room)


def minor() -> Consultation:
    child = a_patient(name="Ravi", age=6, sex="male", guardian_name="Asha Menon",
                      guardian_relation="mother", birth_date_is_exact=False)  # fmt: skip
    return finished(prescribed(a_room(child)).consultation)


def in_hindi() -> Consultation:
    patient = a_patient(name="सुनीता द्विवेदी", address="मकान 12, क्षेत्र रोड", language="hi")
    room = a_room(patient)
    Consultation.objects.filter(pk=room.pk).update(
        complaint="तीन दिन से बुखार और सिर दर्द", allergies="पेनिसिलिन"
    )
    return finished(prescribed(room, replace(PARACETAMOL, instructions="खाने के बाद")).consultation)


def ten_medicines() -> Consultation:
    """With its PDF already stored."""
    made = many_medicines(10)
    actions.render_prescription(made.prescriptions.get().pk)
    return made


def forty_medicines() -> Consultation:
    """More than the page takes today: what was once issued is told whole."""
    return many_medicines(40)


def many_medicines(count: int) -> Consultation:
    issued = prescribed(a_room())
    lines = [
        {**issued.document["lines"][0], "generic": f"Medicine {number}"} for number in range(count)
    ]
    document = {**issued.document, "lines": lines}
    Prescription.objects.filter(pk=issued.pk).update(document=document)
    return finished(issued.consultation)


def corrected() -> Consultation:
    """A prescription that replaced an earlier one."""
    issued = prescribed(a_room())
    room, doctor = issued.consultation, issued.issued_by
    actions.revise_prescription(consultation=room, by=doctor.user)
    actions.save_lines(consultation=room, lines=[replace(PARACETAMOL, days=5)], by=doctor.user)
    issued_with_reasons(room)
    return finished(room)


def hub_with_referral() -> Consultation:
    facility = a_centre(hfr_id="IN3210000099")
    meena, clinic = a_health_worker(facility), a_hub(facility)
    doctor = on_duty(clinic)
    sent(facility, meena, clinic, a_patient(), history="Tuberculosis in 2019", examination="Pale")
    room = actions.begin(consultation=called(clinic, doctor), by=meena)
    actions.refer_in_person(
        consultation=room, doctor=doctor, urgency="urgent", reason="Chest X-ray & sputum <3 days",
        place="District hospital", speciality=a_speciality("paediatrics"),
    )  # fmt: skip
    return finished(prescribed(room).consultation)


def transferred() -> Consultation:
    """The first doctor's part is complete; another doctor goes on."""
    room = a_room()
    other = a_clinic(name="Skin clinic")
    on_duty(other)
    actions.transfer_care(
        consultation=room, doctor=room.doctor, clinic=other, words="The skin clinic takes over."
    )
    room.refresh_from_db()
    return room


def half_a_pressure() -> Consultation:
    room = a_room()
    actions.measure_again(
        consultation=room,
        vitals={"systolic": Decimal(150), "weight": Decimal("3.2")},
        by=room.patient.account,
    )
    return finished(room)


def pregnant() -> Consultation:
    clinic = a_clinic()
    doctor = on_duty(clinic)
    waiting(
        clinic, a_patient(age=24), is_pregnant=True, complaint="Pain & bleeding <since> morning"
    )
    room = called(clinic, doctor)
    return finished(
        prescribed(actions.begin(consultation=room, by=room.patient.account)).consultation
    )


def with_odd_letters() -> Consultation:
    """What XML does not take, markup, emoji, and an ABHA number whose check digit is wrong."""
    patient = a_patient(
        name="A\x07sha <b>M\u0335enon</b>", sex="other", abha_number="91100000000001"
    )
    room = a_room(patient, contact="")
    actions.save_note(
        consultation=room,
        by=room.doctor.user,
        diagnosis="Fever \x0b& 'chills' 🤒\ufffe",
        findings="\x01",
    )
    return finished(room)


def without_names() -> Consultation:
    """The account of a doctor may have no name, and a guardian's may be one that nobody can read."""
    room = a_room(a_patient(guardian_name="\x01", guardian_relation="\x02"))
    room.doctor.user.name = ""
    room.doctor.user.save()
    return finished(room)


def with_files() -> Consultation:
    """A photo with the case, a report in the talk; and a warning when to come back."""
    clinic = a_clinic()
    doctor = on_duty(clinic)
    draft = a_draft(clinic)
    account = draft.patient.account
    photo = clean_upload(an_upload(a_photo(), name="फोड़ा left leg.jpg"))
    actions.add_attachment(consultation=draft, clean=photo, by=account)
    actions.request_consultation(consultation=draft, clinic=clinic, by=account, language="en")
    room = actions.begin(consultation=called(clinic, doctor), by=account)
    report = clean_upload(an_upload(a_pdf(), name="Blood count.pdf"))
    actions.post_message(consultation=room, by=account, client_id=uuid4(), clean=report)
    actions.save_note(
        consultation=room, by=doctor.user, diagnosis="Abscess", red_flags="Fever, or it spreads"
    )
    return finished(room)


def in_writing() -> Consultation:
    """Store and forward: no call, no token."""
    facility = a_centre()
    meena, clinic = a_health_worker(facility), a_hub(facility)
    doctor = on_duty(clinic)
    waits = sent(facility, meena, clinic, a_patient())
    actions.ask_in_writing(consultation=waits, by=meena)
    case = Consultation.objects.with_people().get(pk=waits.pk)
    taken = actions.take_written(consultation=case, doctor=doctor)
    return finished(prescribed(taken).consultation)


def refilled() -> Consultation:
    """The same medicines once more, asked for by the patient."""
    issued = prescribed(a_room())
    finished(issued.consultation)
    refill = actions.request_refill(
        prescription=issued, by=issued.consultation.patient.account, words="Better", language="en"
    )
    taken = actions.take_refill(refill=refill, doctor=issued.issued_by)
    actions.save_note(consultation=taken, by=issued.issued_by.user, diagnosis="Viral fever")
    issued_with_reasons(taken)
    return finished(taken)


ALL: list[Callable[[], Consultation]] = [
    minimal, full, no_medicine, minor, in_hindi, ten_medicines, forty_medicines, corrected,
    hub_with_referral, transferred, half_a_pressure, pregnant, with_odd_letters, with_files,
    in_writing, refilled, without_names,
]  # fmt: skip
