"""A fixed cast and a few verbs. Plain functions; what they make is saved."""

import io
import itertools
import re
from dataclasses import asdict
from datetime import time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pikepdf
from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from PIL import Image

from accounts import actions as accounts
from accounts.gates import PASSWORD_BACKEND, PHONE_BACKEND
from accounts.models import (
    AuditEvent,
    District,
    Doctor,
    Facility,
    Message,
    Patient,
    Post,
    Speciality,
    State,
    User,
)
from accounts.seeding import seed
from consult import actions as consult
from consult.actions.formulary import STARTER, apply_rows
from consult.day import Day, look_at, rows_of
from consult.formulary_csv import Row, read_csv
from consult.models import Consultation, Drug, Opinion
from consult.readiness import Attested
from esanjeevani.sql.composed import together
from queues import actions as queues
from queues.models import Clinic, ClinicHours, HubLink, Presence, Token

PASSWORD = "a long enough sentence"
_numbers = itertools.count(1)


def a_phone() -> str:
    return f"+9198765{next(_numbers):05d}"


def a_state(code: int = 32) -> State:
    """Kerala, with the other states, the specialities and the SMS texts."""
    if not State.objects.filter(pk=code).exists():
        seed()
    return State.objects.get(pk=code)


def a_district() -> District:
    district, _created = District.objects.get_or_create(
        code=555, defaults={"name": "Ernakulam", "state": a_state()}
    )
    return district


def a_speciality(code: str = "general-medicine") -> Speciality:
    a_state()
    return Speciality.objects.get(code=code)


def a_user(**fields: Any) -> User:
    user = User.objects.create(**{"phone": a_phone(), "name": "", **fields})
    accounts.accept_notice(by=user, language="en")
    return user


def a_patient(account: User | None = None, **fields: Any) -> Patient:
    """Asha, 34, unless said otherwise (`age` in years)."""
    years = fields.pop("age", 34)
    today = timezone.localdate()
    return Patient.objects.create(
        **{
            "account": account or a_user(),
            "name": "Asha Menon",
            "sex": Patient.Sex.FEMALE,
            "birth_date": today.replace(year=today.year - years, day=min(today.day, 28)),
            "address": "12 Canal Road",
            "state": a_state(),
            "language": "en",
            **fields,
        }
    )


@cache
def _hashed() -> str:
    """Once for all: hashing is slow on purpose."""
    return make_password(PASSWORD)


def a_staff_user(name: str = "Meena Kumari") -> User:
    """Somebody with password and authenticator app."""
    user = User.objects.create(phone=a_phone(), password=_hashed(), name=name)
    TOTPDevice.objects.create(user=user, name="app", confirmed=True)
    return user


def a_doctor(*, verified: bool = True, **fields: Any) -> Doctor:
    """Dr Rao with password and authenticator app."""
    user = a_staff_user("Dr Raghav Rao")
    doctor = Doctor.objects.create(
        **{
            "user": user,
            "speciality": a_speciality(),
            "qualification": "MBBS",
            "registration_number": f"KL-{user.pk}",
            "council": "Kerala State Medical Council",
            "contact": "0484 000000",
            **fields,
        }
    )
    if verified:
        accounts.verify_doctor(doctor=doctor, by=User.objects.create(phone=a_phone()))
    return doctor


def a_clinic(*, always_open: bool = True, **fields: Any) -> Clinic:
    """Open day and night unless said otherwise."""
    clinic = Clinic.objects.create(
        **{
            "name": "Kerala General OPD",
            "state": a_state(),
            "speciality": a_speciality(),
            **fields,
        }
    )
    if always_open:
        ClinicHours.objects.bulk_create(
            ClinicHours(clinic=clinic, weekday=day, opens=time(0), closes=time(0))
            for day in range(7)
        )
    return clinic


def on_duty(clinic: Clinic, doctor: Doctor | None = None) -> Doctor:
    doctor = doctor or a_doctor()
    queues.start_duty(doctor=doctor, clinic=clinic)
    return doctor


def answered(token: Token) -> Token:
    """The patient comes in; without the consultation that goes with the place."""
    with transaction.atomic():
        return queues.answer_call(token=token)


def a_draft(clinic: Clinic, patient: Patient | None = None, **case: Any) -> Consultation:
    patient = patient or a_patient()
    return consult.save_draft(
        patient=patient,
        clinic=clinic,
        by=patient.account,
        **{"complaint": "Fever and cough", "since": "days", **case},
    )


def waiting(clinic: Clinic, patient: Patient | None = None, **case: Any) -> Consultation:
    """A consultation whose patient sits in the waiting room. The clinic has a doctor on duty."""
    draft = a_draft(clinic, patient, **case)
    return consult.request_consultation(
        consultation=draft, clinic=clinic, by=draft.patient.account, language="en"
    )


def called(clinic: Clinic, doctor: Doctor) -> Consultation:
    return consult.call_next(clinic=clinic, doctor=doctor)


def in_the_room(clinic: Clinic, doctor: Doctor, patient: Patient | None = None) -> Consultation:
    """A patient who was called and came in."""
    waiting(clinic, patient)
    consultation = called(clinic, doctor)
    return consult.begin(consultation=consultation, by=consultation.patient.account)


# --- health centres: Meena at the sub-centre of Belwa, and the hubs that it may ask -----------------
def a_facility(**fields: Any) -> Facility:
    """The sub-centre of Belwa."""
    return Facility.objects.create(
        **{
            "name": "Belwa sub-centre",
            "kind": Facility.Kind.SUB_CENTRE,
            "state": a_state(),
            "district": a_district(),
            **fields,
        }
    )


def a_health_worker(facility: Facility | None = None) -> User:
    """Meena with password, authenticator app and an open post."""
    meena = a_staff_user()
    Post.objects.create(user=meena, facility=facility or a_facility(), role=Post.Role.HEALTH_WORKER)
    return meena


def centre_of(meena: User) -> Facility:
    return meena.posts.get().facility


def a_hub(
    spoke: Facility, code: str = "general-medicine", *, priority: int = 1, **fields: Any
) -> Clinic:
    """A clinic for health centres, linked to this one. Nobody is on duty yet."""
    speciality = a_speciality(code)
    hub = a_clinic(
        **{
            "name": f"{speciality.name}, hub",
            "speciality": speciality,
            "takes_opd": False,
            **fields,
        }
    )
    HubLink.objects.create(spoke=spoke, clinic=hub, priority=priority)
    return hub


def a_specialist(clinic: Clinic) -> Doctor:
    """On duty in a clinic of the doctor's own speciality."""
    return on_duty(clinic, a_doctor(speciality=clinic.speciality))


def known_at(facility: Facility, patient: Patient | None = None, by: User | None = None) -> Patient:
    """A patient whom this health centre has had before it."""
    patient = patient or a_patient()
    accounts.enrol(patient=patient, facility=facility, by=by or a_user())
    return patient


PULSE = {"pulse": Decimal(88)}
SAID = Attested(consent_given=True, patient_is_present=True)


def at_centre(
    meena: User, patient: Patient | None = None, vitals: Any = PULSE, **words: Any
) -> Consultation:
    """A case that is ready to be sent: a complaint, and a vital sign. The centre has a hub."""
    centre = centre_of(meena)
    patient = known_at(centre, patient, meena)
    draft = consult.open_case(patient=patient, facility=centre, by=meena)
    words = {"complaint": "Fever with chills at night", "since": "days", **words}
    return consult.save_case(
        draft=draft, by=meena, revision=draft.revision, words=words, vitals=dict(vitals)
    )


def send(draft: Consultation, clinic: Clinic, meena: User, **how: Any) -> Consultation:
    """Past the gates, with consent, the patient being here."""
    sending = consult.Sending(**{"clinic": clinic, "proposed": None, "said": SAID, **how})
    return consult.send_case(draft=draft, sending=sending, by=meena)


def sent(
    meena: User,
    clinic: Clinic,
    patient: Patient | None = None,
    *,
    written: bool = False,
    **words: Any,
) -> Consultation:
    """A case in the line of the clinic, or on its pile to be answered in writing."""
    return send(at_centre(meena, patient, **words), clinic, meena, is_written=written)


def before_the_screen(
    meena: User, clinic: Clinic, doctor: Doctor, patient: Patient | None = None, **words: Any
) -> Consultation:
    """A case of a health centre that the doctor sees now."""
    sent(meena, clinic, patient, **words)
    return consult.begin(consultation=called(clinic, doctor), by=meena)


def an_opinion(consultation: Consultation, clinic: Clinic) -> Opinion:
    """The treating doctor asks the specialists of this clinic."""
    doctor = consultation.doctor
    if doctor is None:
        raise AssertionError("Nobody treats the patient yet.")
    return consult.ask_opinion(
        consultation=consultation, doctor=doctor, clinic=clinic, question="Is this eczema?"
    )


PARACETAMOL = consult.Line("Paracetamol", "tablet", "500 mg", "1", "tds", 3, "after food")


# Of the starter set: one or two of each list, and what they are warned of with.
COMMON = {
    "Paracetamol", "Folic acid", "Zinc sulfate", "Oral rehydration salts", "Guaifenesin",
    "Ferrous ascorbate", "Calcium carbonate", "Clotrimazole", "Mupirocin", "Ibuprofen",
    "Amoxicillin", "Ampicillin", "Enalapril", "Atenolol", "Metformin", "Hydrochlorothiazide",
    "Sitagliptin", "Clobazam", "Morphine", "Ketamine", "Methotrexate", "Warfarin", "Doxycycline",
    "White soft paraffin",
}  # fmt: skip


@cache
def _common_rows() -> tuple[Row, ...]:
    rows = read_csv(STARTER.read_text(encoding="utf-8"))
    return tuple(
        row
        | {
            "interactions": "; ".join(
                pair
                for pair in row.get("interactions", "").split("; ")
                if pair.split(": ")[0] in COMMON
            )
        }
        for row in rows
        if row["generic"] in COMMON
    )


def the_formulary() -> None:
    """A few generics of the starter set, unless there is a formulary already."""
    if not Drug.objects.exists():
        apply_rows(list(_common_rows()), change=None)


def the_day(facility: Facility) -> Day:
    """As the health centre's page shows it."""
    (look,) = together(look_at(facility.pk))
    return rows_of(look, {})


def prescribed(consultation: Consultation, *lines: consult.Line) -> Any:
    """The consultation with a diagnosis and an issued prescription."""
    the_formulary()
    doctor = consultation.doctor
    consult.save_note(consultation=consultation, by=doctor.user, diagnosis="Viral fever")
    consult.save_lines(
        consultation=consultation, lines=list(lines or [PARACETAMOL]), by=doctor.user
    )
    return issued_with_reasons(consultation)


def issued_with_reasons(consultation: Consultation) -> Any:
    """Issue the draft; whatever is warned of is answered with a reason. Raises IssueRefused."""
    try:
        return consult.issue_prescription(consultation=consultation, doctor=consultation.doctor)
    except consult.IssueRefused as refused:
        if refused.reason != "warnings":
            raise
        reasons = {warned.key: "Known and wanted" for warned in refused.warnings}
    by = consultation.doctor.user
    consult.save_reasons(consultation=consultation, reasons=reasons, by=by)
    return consult.issue_prescription(consultation=consultation, doctor=consultation.doctor)


def gone(consultation: Consultation) -> None:
    """The patient's page is closed, and the lease has run out."""
    Presence.objects.filter(token=consultation.token).update(until=timezone.now())


def stay(*consultations: Consultation) -> None:
    """Their patients' pages are open, for as long as a test may take."""
    Presence.renew([one.token_id for one in consultations], lease=timedelta(hours=1))


def totp_code(user: User) -> str:
    device = TOTPDevice.objects.get(user=user)
    return (
        f"{TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift).token():06d}"
    )


def as_patient(user: User) -> Client:
    """A browser signed in by a code."""
    client = Client()
    client.force_login(user, backend=PHONE_BACKEND)
    return client


def as_staff(user: User) -> Client:
    """A browser signed in by password and authenticator app."""
    client = Client()
    client.force_login(user, backend=PASSWORD_BACKEND)
    session = client.session
    session["otp_device_id"] = TOTPDevice.objects.get(user=user).persistent_id
    session.save()
    return client


def a_photo(size: tuple[int, int] = (60, 40), kind: str = "JPEG", **how: Any) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, kind, **how)
    return written.getvalue()


def a_pdf(pages: int = 1, **how: Any) -> bytes:
    written = io.BytesIO()
    with pikepdf.new() as pdf:
        for _page in range(pages):
            pdf.add_blank_page(page_size=(595, 842))
        pdf.save(written, **how)
    return written.getvalue()


def an_upload(content: bytes, name: str = "report.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def refused_to(user: User) -> list[str]:
    """What the audit log says this person asked for and did not get."""
    events = AuditEvent.objects.filter(by=user, refused=True).order_by("pk")
    return [event.target for event in events]


def queries_of(client: Client, path: str) -> int:
    """How many queries one page needs; fetched twice, so that the session is warm."""
    assert client.get(path).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def code_sent_to(phone: str) -> str:
    """The six digits of the newest SMS to `phone`, as they wait in the outbox."""
    newest = Message.objects.filter(to=phone, template__key="otp").latest("pk")
    return re.findall(r"\d{6}", newest.text)[0]


def without_csrf(answer: HttpResponse) -> str:
    """The page but for what is new in it each time, to compare two of them."""
    return re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1", answer.content.decode())


def a_doctors_form(*lines: consult.Line | None, initial: int = 0, **fields: str) -> dict[str, Any]:
    """What the doctor's page sends: the note, and one row per medicine (a None is an empty row)."""
    data = {
        "lines-TOTAL_FORMS": len(lines),
        "lines-INITIAL_FORMS": initial,
        "diagnosis": "Viral fever",
        **fields,
    }
    for row, line in enumerate(lines):
        words = asdict(line) if line else dict.fromkeys(asdict(PARACETAMOL), "")
        words = {name: "" if value is None else value for name, value in words.items()}
        data |= {f"lines-{row}-{name}": value for name, value in words.items()}
    return data
