"""The demonstration's data, and the one process that `make run` serves it from."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.area import Area
from accounts.models import (
    District,
    Doctor,
    Enrolment,
    Facility,
    Patient,
    Post,
    Speciality,
    State,
    User,
)
from accounts.phone import normalise
from consult.demo.loading import load_demo
from consult.demo.people import DEMO_ACCOUNTS, DEMO_PASSWORD, DEMO_STAFF
from consult.management.commands.serve import Regularly
from consult.models import Consultation, FollowUp, Observation
from queues.actions import end_duty, pause_duty
from queues.assignment import choose
from queues.line import standings
from queues.models import Clinic, ClinicDay, Duty, HubLink, Token
from tests.running import SOON, STARTS_WITHIN, free_port

ROUND_THE_CLOCK = ["Bihar General OPD", "Kerala General OPD"]


@pytest.fixture
def demo(settings, db):
    settings.DEMO = True
    load_demo()


def rows() -> dict[str, int]:
    models = [
        User, TOTPDevice, Doctor, Post, Patient, Clinic, HubLink, Duty, State, District, Enrolment,
        Consultation, Observation, FollowUp, Token, ClinicDay,
    ]  # fmt: skip
    return {model.__name__: model.objects.count() for model in models}


@pytest.mark.django_db
def test_it_refuses_where_doctors_are_real(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("demo")
    assert not User.objects.exists()


def test_twice_is_once(demo):
    before = rows()
    load_demo()
    assert rows() == before


def test_it_keeps_what_was_changed_since(demo):
    User.objects.filter(phone="+919000000011").update(name="Dr Raghava Rao", password="!")
    Clinic.objects.filter(name="Kerala General OPD").update(daily_limit=7)
    load_demo()
    assert User.objects.get(phone="+919000000011").name == "Dr Raghava Rao"
    assert Clinic.objects.get(name="Kerala General OPD").daily_limit == 7


def test_there_are_places_enough(demo):
    opd = Clinic.objects.filter(takes_opd=True)
    assert opd.count() >= 6
    assert set(opd.values_list("state_id", flat=True)) == {32, 10, 29}
    assert State.objects.count() == 36
    assert set(District.objects.values_list("pk", "state_id")) == {
        (555, 32), (565, 32), (561, 32), (212, 10), (196, 10), (208, 10), (525, 29), (545, 29),
    }  # fmt: skip
    assert {"female"} <= set(opd.values_list("serves", flat=True))
    assert opd.filter(max_age__lt=18).exists()
    hours = {tuple(str(stretch) for stretch in clinic.hours.all()) for clinic in opd}
    assert len(hours) >= 5


def test_every_clinic_has_a_hindi_name(demo):
    assert [clinic for clinic in Clinic.objects.all() if not clinic.names.get("hi")] == []


def test_hubs_are_asked_by_spokes_only_and_a_facility_can_be_both(demo):
    hubs = Clinic.objects.filter(takes_opd=False)
    assert {link.clinic for link in HubLink.objects.all()} == set(hubs)
    hub_facilities = set(hubs.values_list("facility__name", flat=True))
    spokes = set(HubLink.objects.values_list("spoke__name", flat=True))
    assert hub_facilities & spokes == {"Harinagar Primary Health Centre"}
    assert len(hub_facilities - spokes) == 2
    assert len(spokes - hub_facilities) == 4


def test_a_newcomer_finds_two_clinics_open_and_staffed_at_any_time(demo):
    clinics = Clinic.objects.filter(takes_opd=True).prefetch_related("hours")
    open_now = {row.clinic.name for row in standings(list(clinics)) if row.takes_patients}
    assert set(ROUND_THE_CLOCK) <= open_now
    for clinic in clinics.filter(name__in=ROUND_THE_CLOCK):
        for hour in range(7 * 24):
            assert clinic.is_open(timezone.now() + timezone.timedelta(hours=hour))


def test_dr_rao_is_on_duty_again_after_a_restart(demo):
    rao = Doctor.objects.get(user__phone="+919000000011")
    clinic = Clinic.objects.get(name="Kerala General OPD")
    pause_duty(doctor=rao)
    load_demo()
    assert Duty.objects.working().get(doctor=rao).clinic == clinic
    end_duty(doctor=rao)
    load_demo()
    assert Duty.objects.working().get(doctor=rao).clinic == clinic


def test_all_doctors_but_one_are_verified(demo):
    doctors = Doctor.objects.select_related("user")
    assert [doctor.is_verified for doctor in doctors].count(True) == 9
    assert doctors.get(verified_at=None).user.name == "Dr Rekha Sinha"
    assert all(doctor.registration_number.startswith("DEMO-") for doctor in doctors)
    assert doctors.count() == 10


def test_staff_sign_in_with_the_password_and_a_code_that_is_the_same_everywhere(demo):
    for staff in DEMO_STAFF:
        user = User.objects.get(phone=staff.phone)
        device = TOTPDevice.objects.get(user=user, confirmed=True)
        assert device.key == staff.totp_key
        device.full_clean()
    assert user.check_password(DEMO_PASSWORD)
    assert User.objects.get(is_superuser=True).name == "Nandini Pillai"
    officers = User.objects.filter(is_staff=True, groups__name="Nodal officers")
    assert {user.name: set(Area.of(user).districts) or set(Area.of(user).states) for user in officers} == {
        "Archana Sahay": {10}, "Alok Ranjan": {196},
    }  # fmt: skip
    spokes = set(HubLink.objects.values_list("spoke__name", flat=True))
    posts = Post.objects.at_centres().values_list("facility__name", flat=True)
    assert sorted(posts) == sorted(spokes)


@pytest.mark.parametrize(
    ("spoke", "speciality", "hub"),
    [
        ("Belwa", "general-medicine", "Harinagar PHC: general medicine"),
        ("Belwa", "dermatology", "Ganga hub: dermatology"),
        ("Harinagar", "gynaecology", "Ganga hub: gynaecology"),
        ("Chandwara", "general-medicine", "Ganga hub: general medicine"),
    ],
)
def test_the_chain_of_hubs_takes_a_patient_at_any_hour(demo, spoke, speciality, hub):
    chosen = choose(
        spoke=Facility.objects.get(name__startswith=spoke),
        speciality=Speciality.objects.get(code=speciality),
        patient=Patient.objects.get(name="Shanti Devi"),
    )
    assert chosen.proposed.clinic.name == hub
    for hour in range(7 * 24):
        assert chosen.proposed.clinic.is_open(timezone.now() + timezone.timedelta(hours=hour))


def test_the_doctor_at_the_health_centre_is_a_general_one_of_its_own(demo):
    duty = Duty.objects.working().get(clinic__name="Harinagar PHC: general medicine")
    doctor = duty.doctor
    assert (doctor.qualification, doctor.is_verified) == ("MBBS", True)
    assert doctor.facility == duty.clinic.facility
    assert doctor.speciality.is_general


def test_belwa_knows_its_patients_and_what_they_were_treated_for(demo):
    belwa = Facility.objects.get(name__startswith="Belwa")
    known = Patient.objects.known_at(belwa)
    assert set(known.values_list("name", flat=True)) == {
        "Shanti Devi", "Gudiya Kumari", "Ramdhari Manjhi", "Pinki Kumari",
    }  # fmt: skip
    shanti = known.get(name="Shanti Devi")
    upper = shanti.observations.filter(kind="systolic").values_list("value", flat=True)
    assert list(upper) == [168, 158, 148]
    weeks = {row.created_at.isocalendar()[:2] for row in shanti.consultations.all()}
    assert len(weeks) == 3
    for row in Consultation.objects.filter(facility=belwa):
        assert (row.state, row.token.state) == ("completed", "done")
        assert row.consent.given_at == row.requested_at < row.started_at < row.ended_at
        assert all(one.vital.is_possible(one.value) for one in row.observations.all())


def test_belwa_has_one_follow_up_due_today_and_one_overdue(demo):
    tasks = FollowUp.objects.of_centre(Facility.objects.get(name__startswith="Belwa")).open()
    overdue, due = tasks
    assert (overdue.patient.name, overdue.is_overdue) == ("Ramdhari Manjhi", True)
    assert (due.patient.name, due.due_on) == ("Shanti Devi", timezone.localdate())
    assert FollowUp.objects.exclude(closed_at=None).count() == 2


def test_families_share_a_number_and_a_child_has_an_adult(demo):
    asha = User.objects.get(phone="+919000000101")
    assert not asha.has_usable_password()
    child, adult, senior = sorted(Patient.objects.of(asha), key=lambda patient: patient.age)
    assert (child.is_minor, child.guardian_name, child.guardian_relation) == (
        True, "Asha Menon", "Mother",
    )  # fmt: skip
    assert not adult.is_minor
    assert senior.is_senior


@pytest.mark.parametrize("person", [*DEMO_STAFF, *DEMO_ACCOUNTS], ids=lambda person: person.phone)
def test_every_number_is_one_that_can_be_typed(person):
    try:
        assert normalise(person.phone[3:]) == person.phone
    except ValidationError:
        pytest.fail(f"{person.phone} is refused on the sign-in page")


@pytest.mark.django_db
def test_the_command_says_who_there_is_and_where_codes_are_read(settings, capsys):
    settings.DEMO = True
    call_command("demo")
    said = capsys.readouterr().out
    assert "90000 00011  Doctor                Dr Raghav Rao\n" in said
    assert "Dr Rekha Sinha (not verified yet)" in said
    assert f"Password of all: {DEMO_PASSWORD}" in said
    assert f"{settings.SITE_URL}/demo/sms/" in said
    assert "Asha Menon (34), Gopalan Menon (71), Anu Menon (8)" in said


# --- manage.py serve ----------------------------------------------------------------------------
def test_a_sweep_that_fails_is_logged_and_runs_again(caplog):
    runs = []

    def fail():
        runs.append(1)
        raise ValueError("away")

    sweep = Regularly(0, fail)
    sweep.run_if_due()
    sweep.run_if_due()
    assert len(runs) == 2
    assert "A sweep failed" in caplog.text


def test_a_sweep_waits_for_its_time():
    runs = []
    sweep = Regularly(60, lambda: runs.append(1))
    sweep.run_if_due()
    sweep.run_if_due()
    assert runs == [1]


@pytest.fixture
def serve(tmp_path):
    """Starts `manage.py serve` on an SQLite file of its own; stops what is left of it."""
    started = []

    def start(port: int, **environment: str) -> subprocess.Popen:
        keep = {"PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            env={key: value for key, value in os.environ.items() if key in keep}
            | {"DEMO": "1", "VAR_DIR": str(tmp_path), "SITE_URL": f"http://127.0.0.1:{port}"}
            | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def fetched(address: str) -> int:
    """The status of the page, once the server is up."""
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.status
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_one_process_serves_pages_and_static_files_until_it_is_told_to_stop(serve, stop):
    port = free_port()
    process = serve(port)
    assert fetched(f"http://127.0.0.1:{port}/healthz") == 200
    assert fetched(f"http://127.0.0.1:{port}/static/css/admin.css") == 200
    process.send_signal(stop)
    said, warned = process.communicate(timeout=SOON)
    assert process.returncode == 0, warned
    assert said.startswith(f"eSanjeevani Open: http://127.0.0.1:{port}/")
    assert f"http://127.0.0.1:{port}/demo/sms/" in said
    assert said.endswith("Stopped.\n")


def test_a_taken_port_is_said_and_is_a_failure(serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = serve(taken.getsockname()[1])
        _said, warned = process.communicate(timeout=STARTS_WITHIN)
    assert process.returncode == 1
    assert "is the port taken?" in warned


def test_it_is_not_for_production(serve):
    process = serve(
        free_port(), DEMO="0", EMBEDDED="0", SECRET_KEY="x", CODE_PEPPER="x", SMS_BACKEND="x",
        DATABASE_URL="sqlite://:memory:", REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip
    _said, warned = process.communicate(timeout=STARTS_WITHIN)
    assert process.returncode == 1
    assert "This is for one machine" in warned
