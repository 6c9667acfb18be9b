"""The admin: who may enter, what it shows, what it changes, and what it leaves in the audit log."""

import uuid
from datetime import date, time, timedelta
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.gates import PASSWORD_BACKEND
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
from accounts.seeding import seed
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

pytestmark = pytest.mark.django_db
numbers = count(1)


# --- the cast -----------------------------------------------------------------------------------
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


@pytest.fixture
def boss() -> User:
    return make_user(name="Nandini", is_staff=True, is_superuser=True)


def sign_in(client, user: User, *, second_factor=True) -> None:
    client.force_login(user, backend=PASSWORD_BACKEND)
    if second_factor:
        device = TOTPDevice.objects.create(user=user, name="app", confirmed=True)
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()


@pytest.fixture
def boss_client(client, boss):
    sign_in(client, boss)
    return client


@pytest.fixture
def officer():
    """Makes a member of staff with these permissions only, whose area is all of Kerala."""

    def make(*codenames: str) -> User:
        user = make_user(name="Officer", is_staff=True)
        Post.objects.create(user=user, facility=make_facility(), role="state_officer")
        for codename in codenames:
            app, name = codename.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=name)
            )
        return user

    return make


def page(row, kind: str = "change") -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}"
    return reverse(name, args=[] if kind in ("changelist", "add") else [row.pk])


def refused_fields(response) -> dict:
    return response.context["adminform"].form.errors


# --- who may enter ------------------------------------------------------------------------------
def entrance(client) -> str:
    """Where a request for the admin ends up, with what is wanted afterwards."""
    response = client.get("/admin/accounts/patient/", follow=True)
    address, _status = response.redirect_chain[-1]
    parts = urlsplit(address)
    assert parse_qs(parts.query)["next"] == ["/admin/accounts/patient/"]
    return parts.path


def test_a_stranger_is_sent_to_the_staff_sign_in(client):
    assert entrance(client) == reverse("accounts:staff_sign_in")


def test_an_admin_without_second_factor_is_sent_to_the_staff_sign_in(client, boss):
    sign_in(client, boss, second_factor=False)
    assert entrance(client) == reverse("accounts:staff_sign_in")


def test_an_sms_code_is_no_second_factor_for_the_admin(client, boss):
    sign_in(client, boss, second_factor=False)
    device = PhoneDevice.objects.create(user=boss, phone=boss.phone)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    assert entrance(client) == reverse("accounts:staff_sign_in")


def test_a_verified_doctor_who_is_no_staff_is_sent_away(client):
    doctor = make_doctor()
    sign_in(client, doctor.user)
    assert entrance(client) == reverse("accounts:staff_sign_in")


def test_a_switched_off_account_is_sent_away(client, boss):
    sign_in(client, boss)
    User.objects.filter(pk=boss.pk).update(is_active=False)
    assert entrance(client) == reverse("accounts:staff_sign_in")


def test_an_admin_with_second_factor_sees_every_model(boss_client):
    response = boss_client.get("/admin/")
    assert response.status_code == 200
    shown = response.content.decode()
    for app in ("accounts", "queue", "consult"):
        inlines = {
            "clinichours", "prescriptionline", "accountsession", "doserange", "drugname",
            "interaction", "product", "keptanswer", "abdmrecord",
        }  # fmt: skip
        for model in apps.get_app_config(app).get_models():
            if model._meta.model_name not in inlines:
                assert f"/admin/{app}/{model._meta.model_name}/" in shown


def test_an_abha_number_is_whole_to_those_alone_who_may_change_it(client, boss_client, officer):
    patient = make_patient(abha_number="91100000000008")
    address = f"/admin/accounts/patient/{patient.pk}/change/"
    assert "91100000000008" in boss_client.get(address).text
    sign_in(client, officer("accounts.view_patient"))
    shown = client.get(address).text
    assert "··-····-····-0008" in shown
    assert "91100000000008" not in shown


def test_whoever_is_in_is_not_asked_to_sign_in_again(boss_client):
    assert boss_client.get("/admin/login/").url == "/admin/"


def test_an_officer_sees_only_what_is_allowed(client, officer):
    sign_in(client, officer("accounts.view_doctor"))
    assert client.get("/admin/accounts/doctor/").status_code == 200
    assert client.get("/admin/accounts/patient/").status_code == 403
    assert client.get(page(make_consultation())).status_code == 403


def test_logging_out_is_the_sites_own_page(boss_client):
    response = boss_client.post("/admin/logout/")
    assert (response.status_code, response.url) == (307, reverse("accounts:sign_out"))
    boss_client.post("/admin/logout/", follow=True)
    assert "_auth_user_id" not in boss_client.session


def test_its_policy_allows_no_inline_code_and_asks_for_no_trusted_types(boss_client):
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in boss_client.get("/admin/")["Content-Security-Policy"].split(";")
    )
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert not {"require-trusted-types-for", "trusted-types"} & policy.keys()


# --- lists and pages ----------------------------------------------------------------------------
@pytest.mark.parametrize("make", MAKERS)
def test_a_list_costs_the_same_for_one_row_and_for_three(boss_client, make):
    address = page(make(), "changelist")
    boss_client.get(address)  # fills what is remembered between requests
    with CaptureQueriesContext(connection) as one:
        assert boss_client.get(address).status_code == 200
    make()
    make()
    with CaptureQueriesContext(connection) as three:
        assert boss_client.get(address).status_code == 200
    assert len(three) == len(one)


@pytest.mark.parametrize("make", MAKERS)
def test_every_page_opens(boss_client, make):
    row = make()
    assert boss_client.get(page(row)).status_code == 200
    assert boss_client.get(page(row, "history")).status_code == 200
    assert boss_client.get(page(row, "changelist"), {"q": "asha 9000 ("}).status_code == 200


@pytest.mark.parametrize("make", MAKERS)
def test_a_list_can_be_filtered_by_each_of_its_filters(boss_client, make):
    response = boss_client.get(page(make(), "changelist"))
    for spec in response.context["cl"].filter_specs:
        for choice in list(spec.choices(response.context["cl"]))[:3]:
            address = page(make(), "changelist") + choice["query_string"]
            assert boss_client.get(address).status_code == 200


@pytest.mark.parametrize("make", READ_ONLY)
def test_nothing_clinical_is_added_changed_or_deleted(boss_client, make):
    row = make()
    assert boss_client.get(page(row)).status_code == 200
    assert boss_client.post(page(row), {"state": "waiting"}).status_code == 403
    assert boss_client.get(page(row, "add")).status_code == 403
    assert boss_client.post(page(row, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    boss_client.post(page(row, "changelist"), chosen)
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", ["Clinic", "Doctor", "Patient", "User", "State", "Grievance"])
def test_what_others_refer_to_is_not_deleted(boss_client, model):
    row = {
        "Clinic": make_clinic, "Doctor": make_doctor, "Patient": make_patient,
        "User": make_user, "State": make_state, "Grievance": make_grievance,
    }[model]()  # fmt: skip
    assert boss_client.post(page(row, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "make",
    [
        make_attachment, make_chat_message, make_consent, make_follow_up, make_instruction,
        make_note, make_observation, make_opinion, make_prescription, make_referral,
    ],
)  # fmt: skip
def test_a_consultation_leads_to_what_belongs_to_it(boss_client, make):
    row = make()
    make()
    link = f"{page(row, 'changelist')}?consultation={row.consultation_id}"
    assert link in boss_client.get(page(row.consultation)).content.decode()
    assert list(boss_client.get(link).context["cl"].queryset) == [row]


# --- the audit log ------------------------------------------------------------------------------
@pytest.mark.parametrize("make", AUDITED)
def test_opening_a_page_of_patient_data_is_written_down(boss_client, boss, make):
    row = make()
    boss_client.get(page(row))
    event = AuditEvent.objects.get(action="admin.read")
    assert event.by == boss
    assert event.target == f"{row._meta.model_name}:{getattr(row, 'uid', row.pk)}"
    assert event.patient == patient_of(row)


def patient_of(row) -> Patient:
    if isinstance(row, Patient):
        return row
    if isinstance(row, Dispensing):
        row = row.line.prescription
    return getattr(row, "patient", None) or row.consultation.patient


def test_opening_a_list_of_patient_data_is_written_down(boss_client, boss):
    boss_client.get(page(make_patient(), "changelist"))
    event = AuditEvent.objects.get(action="admin.list")
    assert (event.by, event.target, event.patient) == (boss, "patient", None)


def test_a_refused_page_is_not_written_down_as_read(client, officer):
    sign_in(client, officer("accounts.view_doctor"))
    client.get(page(make_patient()))
    assert not AuditEvent.objects.filter(action__startswith="admin.").exists()


def patient_data(patient: Patient, **changed) -> dict:
    return {
        "name": patient.name, "sex": patient.sex, "birth_date": "1990-05-01",
        "address": patient.address, "state": patient.state_id, "language": "en",
        "guardian_name": "", "guardian_relation": "", "abha_number": "", "district": "", "age": "",
    } | changed  # fmt: skip


def test_a_mended_patient_is_audited(boss_client, boss):
    patient = make_patient()
    response = boss_client.post(page(patient), patient_data(patient, name="Asha Menon"))
    assert response.status_code == 302
    patient.refresh_from_db()
    assert patient.name == "Asha Menon"
    event = AuditEvent.objects.get(action="patient.update")
    assert (event.by, event.patient) == (boss, patient)


def test_the_patients_own_rules_hold_in_the_admin(boss_client):
    patient = make_patient()
    born = str(timezone.localdate() - timedelta(days=3000))
    response = boss_client.post(page(patient), patient_data(patient, birth_date=born))
    assert {"guardian_name", "guardian_relation"} <= refused_fields(response).keys()


def test_an_officer_who_may_only_look_looks_at_a_patient(client, officer):
    sign_in(client, officer("accounts.view_patient"))
    patient = make_patient()
    response = client.get(page(patient))
    assert patient.spaced_number in response.content.decode()
    assert client.post(page(patient), patient_data(patient)).status_code == 403


# --- secrets ------------------------------------------------------------------------------------
def test_a_code_in_the_outbox_is_not_shown(boss_client):
    message = make_message(text="Your code is 314159.", is_secret=True)
    assert "314159" not in boss_client.get(page(message)).content.decode()
    assert "314159" not in boss_client.get(page(message, "changelist")).content.decode()
    assert "Hi" in boss_client.get(page(make_message())).content.decode()


@pytest.mark.parametrize(
    ("make", "lookup"),
    [
        (make_message, "text__contains"),
        (make_phone_device, "code_hash__startswith"),
        (make_totp, "key__startswith"),
        (make_user, "password__startswith"),
        (make_user, "totpdevice__key__startswith"),
        (make_totp, "user__password__startswith"),
    ],
)
def test_a_lists_address_reads_no_secret_out(boss_client, make, lookup):
    response = boss_client.get(page(make(), "changelist"), {lookup: "a"})
    assert response.status_code == 400


def test_a_code_is_not_found_by_searching_for_it(boss_client):
    message = make_message(text="Your code is 314159.", is_secret=True)
    response = boss_client.get(page(message, "changelist"), {"q": "314159"})
    assert response.context["cl"].result_count == 0


def test_neither_hash_nor_key_of_a_device_is_shown(boss_client):
    phone, totp = make_phone_device(), make_totp()
    for row, secret in ((phone, phone.code_hash), (totp, totp.key)):
        assert secret not in boss_client.get(page(row)).content.decode()
        assert secret not in boss_client.get(page(row, "changelist")).content.decode()
    assert boss_client.get(f"/admin/otp_totp/totpdevice/{totp.pk}/config/").status_code == 302


def test_a_file_is_not_linked(boss_client):
    assert "secret-path" not in boss_client.get(page(make_attachment())).content.decode()


# --- people -------------------------------------------------------------------------------------
def new_user(**fields) -> dict:
    return {
        "phone": "098765 43210", "name": "Meena", "language": "hi", "is_staff": "",
        "usable_password": "true", "password1": "correct horse", "password2": "correct horse",
    } | fields  # fmt: skip


def test_staff_are_added_with_a_password_and_their_number_in_one_form(boss_client):
    assert boss_client.get("/admin/accounts/user/add/").status_code == 200
    assert boss_client.post("/admin/accounts/user/add/", new_user()).status_code == 302
    meena = User.objects.get(phone="+919876543210")
    assert meena.check_password("correct horse")
    assert (meena.is_staff, meena.is_superuser, meena.language) == (False, False, "hi")


def test_a_number_that_is_taken_or_no_mobile_is_refused(boss_client):
    make_user(phone="+919876543210")
    for phone in ("9876543210", "12345"):
        response = boss_client.post("/admin/accounts/user/add/", new_user(phone=phone))
        assert refused_fields(response).keys() == {"phone"}


def test_only_a_superuser_gives_powers(client, officer, boss):
    sign_in(client, officer("accounts.change_user", "accounts.view_user"))
    meena = make_post().user
    data = {"phone": meena.phone, "name": "Meena", "language": "en", "is_active": "on"}
    response = client.post(page(meena), data | {"is_superuser": "on", "is_staff": "on"})
    assert response.status_code == 302
    meena.refresh_from_db()
    assert (meena.name, meena.is_staff, meena.is_superuser) == ("Meena", False, False)
    for powerful in (boss, make_user(is_staff=True)):
        Post.objects.create(user=powerful, facility=make_facility(), role="doctor")
        assert client.post(page(powerful), data).status_code == 403
        address = reverse("admin:auth_user_password_change", args=[powerful.pk])
        assert client.post(address, {"password1": "x", "password2": "x"}).status_code == 403


def test_a_second_factor_is_added_with_its_key_by_a_superuser_only(client, officer, boss):
    everything = [f"otp_totp.{verb}_totpdevice" for verb in ("add", "change", "delete", "view")]
    sign_in(client, officer(*everything))
    boss_device = TOTPDevice.objects.create(user=boss, name="app")
    assert client.get("/admin/otp_totp/totpdevice/add/").status_code == 403
    assert client.post(page(boss_device, "delete"), {"post": "yes"}).status_code == 403
    device = make_totp()
    assert client.post(page(device, "delete"), {"post": "yes"}).status_code == 302
    assert AuditEvent.objects.get(action="second_factor.remove").target == f"user:{device.user_id}"

    client.logout()
    sign_in(client, boss)
    meena, key = make_user(), "ab" * 20
    data = {"user": meena.pk, "name": "token", "confirmed": "on", "key": key}
    assert client.post("/admin/otp_totp/totpdevice/add/", data).status_code == 302
    assert TOTPDevice.objects.get(user=meena).key == key


# --- doctors, duties, clinics -------------------------------------------------------------------
def test_a_registration_is_verified_by_action(boss_client, boss):
    doctor = make_doctor()
    chosen = {"action": "verify", "_selected_action": [doctor.pk]}
    assert boss_client.post(page(doctor, "changelist"), chosen).status_code == 302
    doctor.refresh_from_db()
    assert (doctor.is_verified, doctor.verified_by) == (True, boss)
    assert AuditEvent.objects.filter(action="doctor.verify", by=boss).count() == 1


def test_who_may_edit_doctors_may_not_for_that_verify_them(client, officer):
    sign_in(client, officer("accounts.view_doctor", "accounts.change_doctor"))
    doctor = make_doctor()
    client.post(page(doctor, "changelist"), {"action": "verify", "_selected_action": [doctor.pk]})
    doctor.refresh_from_db()
    assert not doctor.is_verified


def test_a_changed_registration_is_no_longer_verified(boss_client, boss):
    doctor = make_doctor(verified_at=timezone.now(), verified_by=boss)
    data = {
        "user": doctor.user_id, "speciality": doctor.speciality_id, "qualification": "MBBS",
        "facility": doctor.facility_id, "registration_number": doctor.registration_number,
        "council": doctor.council, "contact": "0484 111111",
    }  # fmt: skip
    boss_client.post(page(doctor), data)
    doctor.refresh_from_db()
    assert (doctor.contact, doctor.is_verified) == ("0484 111111", True)
    boss_client.post(page(doctor), data | {"registration_number": "another"})
    doctor.refresh_from_db()
    assert (doctor.is_verified, doctor.verified_by) == (False, None)
    assert AuditEvent.objects.filter(action="doctor.unverify", by=boss).exists()


def test_a_forgotten_duty_is_ended_in_all_clinics(boss_client):
    duty = make_duty()
    other = Duty.objects.create(doctor=duty.doctor, clinic=make_clinic())
    stays = make_duty()
    chosen = {"action": "end", "_selected_action": [duty.pk]}
    assert boss_client.post(page(duty, "changelist"), chosen).status_code == 302
    assert set(Duty.objects.on()) == {stays}
    other.refresh_from_db()
    assert other.ended_at is not None
    assert AuditEvent.objects.get(action="duty.end").target == f"doctor:{duty.doctor_id}"


def test_looking_at_duties_does_not_allow_ending_them(client, officer):
    sign_in(client, officer("queue.view_duty"))
    duty = make_duty()
    client.post(page(duty, "changelist"), {"action": "end", "_selected_action": [duty.pk]})
    assert Duty.objects.on().filter(pk=duty.pk).exists()


def test_a_clinic_is_saved_with_its_hours_and_its_spokes(boss_client):
    clinic, spoke = make_clinic(), make_facility()
    opened = clinic.hours.get()
    data = {
        "name": "General", "names": '{"hi": "सामान्य"}', "speciality": clinic.speciality_id,
        "is_active": "on", "takes_opd": "on", "state": 32, "serves": "all", "min_age": 0,
        "max_age": 130, "daily_limit": 10, "waiting_limit": 5, "call_window": 120,
        "usual_minutes": 7, "near_ahead": 3,
        "hours-TOTAL_FORMS": 2, "hours-INITIAL_FORMS": 1,
        "hours-0-id": opened.pk, "hours-0-clinic": clinic.pk, "hours-0-weekday": 0,
        "hours-0-opens": "09:00", "hours-0-closes": "12:00",
        "hours-1-clinic": clinic.pk, "hours-1-weekday": 1,
        "hours-1-opens": "00:00", "hours-1-closes": "00:00",
        "hub_links-TOTAL_FORMS": 1, "hub_links-INITIAL_FORMS": 0,
        "hub_links-0-clinic": clinic.pk, "hub_links-0-spoke": spoke.pk,
        "hub_links-0-priority": 1, "hub_links-0-valid_from": "2026-01-01",
    }  # fmt: skip
    response = boss_client.post(page(clinic), data)
    assert response.status_code == 302
    clinic.refresh_from_db()
    assert (clinic.names, clinic.daily_limit) == ({"hi": "सामान्य"}, 10)
    assert clinic.hours.count() == 2
    assert clinic.hub_links.get().spoke == spoke


@pytest.mark.parametrize("names", ['["x"]', '"केरल"', '{"hi": ""}', '{"hi": 5}', "{"])
def test_names_in_other_languages_are_words_by_language(boss_client, names):
    state = make_state()
    response = boss_client.post(page(state), {"name": "Kerala", "names": names})
    assert refused_fields(response).keys() == {"names"}


def test_names_in_other_languages_may_be_left_out(boss_client):
    state = make_state()
    assert boss_client.post(page(state), {"name": "Kerala", "names": ""}).status_code == 302
    state.refresh_from_db()
    assert state.names == {}


# --- messages and complaints --------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["Code {cod}", "Code {code", "Code {}", "Code {0}", "Code {code.x}", "{code!z}"]
)
def test_a_text_that_cannot_be_filled_is_refused(boss_client, text):
    seed()
    template = SmsTemplate.objects.get(key="otp", language="en")
    response = boss_client.post(page(template), {"text": text, "header": "", "dlt_id": ""})
    assert refused_fields(response).keys() == {"text"}


def test_an_operator_writes_the_registered_text(boss_client):
    seed()
    template = SmsTemplate.objects.get(key="otp", language="en")
    data = {"text": "OTP {code}", "header": "ESANJV", "dlt_id": "1" * 19}
    assert boss_client.post(page(template), data).status_code == 302
    template.refresh_from_db()
    assert (template.text, template.dlt_id, template.key) == ("OTP {code}", "1" * 19, "otp")


def test_a_text_for_a_message_that_is_never_sent_is_refused(boss_client):
    data = {"key": "advert", "language": "en", "text": "Buy!", "header": "", "dlt_id": ""}
    response = boss_client.post("/admin/accounts/smstemplate/add/", data)
    assert refused_fields(response).keys() == {"key"}


def test_a_grievance_is_answered_and_keeps_its_words(boss_client, boss):
    grievance = make_grievance()
    data = {"state": "answered", "answer": "We added a doctor.", "words": "All was well."}
    assert boss_client.post(page(grievance), data).status_code == 302
    grievance.refresh_from_db()
    assert (grievance.words, grievance.answer) == ("I waited two hours.", "We added a doctor.")
    assert grievance.answered_at is not None
    assert AuditEvent.objects.filter(action="grievance.answer", by=boss).exists()


def test_a_grievance_that_is_opened_again_has_no_time_of_answer(boss_client):
    grievance = make_grievance(state="answered", answer="Yes", answered_at=timezone.now())
    boss_client.post(page(grievance), {"state": "looking", "answer": "Yes"})
    grievance.refresh_from_db()
    assert grievance.answered_at is None


def test_a_grievance_is_not_answered_without_words(boss_client):
    response = boss_client.post(page(make_grievance()), {"state": "answered", "answer": " "})
    assert refused_fields(response).keys() == {"answer"}


def test_every_model_of_ours_is_registered():
    inlines = {
        "ClinicHours", "PrescriptionLine", "DoseRange", "DrugName", "Interaction", "Product",
    }  # fmt: skip
    secrets = {"AccountSession", "KeptAnswer", "AbdmRecord"}
    missing = {
        model.__name__
        for app in ("accounts", "queue", "consult")
        for model in apps.get_app_config(app).get_models()
        if model not in admin.site._registry
    }
    assert missing == inlines | secrets
