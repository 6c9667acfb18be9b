"""Doctors and staff: password, then the authenticator app; a code by SMS opens nothing here."""

import re
from datetime import timedelta

import pytest
import segno
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.actions.signing_in import PASSWORDS_PER_NUMBER
from accounts.models import AuditEvent, PhoneDevice, RateLimit, User
from tests.at_once import at_once
from tests.factories import (
    PASSWORD,
    a_doctor,
    a_phone,
    a_user,
    as_patient,
    as_staff,
    code_sent_to,
    totp_code,
    without_csrf,
)

NOT_RIGHT = "Number or password is not right."
CODE_NOT_RIGHT = "This code is not right. Wait for the next one in the app."
DESK = "/doctor/"

pytestmark = pytest.mark.django_db


def with_password(user, password=PASSWORD, **data):
    """A browser after the first step, and the answer it got."""
    browser = Client()
    answer = browser.post("/staff/sign-in/", {"phone": user.phone, "password": password, **data})
    return browser, answer


def second_step(browser, code, **data):
    return browser.post("/staff/second-factor/", {"code": code, **data})


def wrong(code) -> str:
    """A code that the app shows neither now nor a moment earlier or later."""
    return f"{(int(code) + 123_457) % 1_000_000:06d}"


def an_unpaired_doctor():
    doctor = a_doctor()
    TOTPDevice.objects.all().delete()
    return doctor


def tried(user, times) -> None:
    """As if that many passwords of `user` had been tried within the hour."""
    RateLimit.hit("passwords of", user.phone, limit=10, window=timedelta(hours=1))
    RateLimit.objects.update(hits=times)


def pause_is_over() -> None:
    """After a wrong code of the app, the next may be tried."""
    TOTPDevice.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(hours=1))


# --- both steps ---------------------------------------------------------------------------------
def test_a_doctor_comes_to_the_line_with_password_and_app():
    doctor = a_doctor()
    browser, answer = with_password(doctor.user)
    assert (answer.status_code, answer["Location"]) == (302, "/staff/second-factor/?next=%2F")
    assert browser.get(DESK)["Location"] == "/staff/second-factor/?next=%2Fdoctor%2F"

    answer = second_step(browser, totp_code(doctor.user))

    assert (answer.status_code, answer["Location"]) == (302, "/staff/")
    assert browser.get("/staff/")["Location"] == DESK
    assert browser.get(DESK).status_code == 200
    assert browser.get("/staff/second-factor/")["Location"] == "/staff/"
    event = AuditEvent.objects.get(action="staff.sign_in")
    assert (event.by, event.refused) == (doctor.user, False)


def test_each_code_is_asked_for_by_where_it_stands_whoever_signed_in_before():
    browser, _answer = with_password(a_doctor().user)
    assert "The 6 digits from your authenticator app" in browser.get("/staff/second-factor/").text
    patient = Client()
    asked = patient.post("/sign-in/", {"phone": a_phone()}, follow=True).text
    assert "The 6 digits from the SMS" in asked


def test_the_number_may_be_typed_as_everybody_types_it():
    doctor = a_doctor()
    local = doctor.user.phone.removeprefix("+91")
    answer = Client().post(
        "/staff/sign-in/", {"phone": f"0{local[:5]} {local[5:]}", "password": PASSWORD}
    )
    assert answer.status_code == 302


def test_the_page_that_was_wanted_comes_after_both_steps_with_all_of_its_address():
    doctor = a_doctor()
    wanted = "/doctor/consultations/?page=2&state=done"
    browser, answer = with_password(doctor.user, next=wanted)
    assert f'name="next" value="{wanted.replace("&", "&amp;")}"' in browser.get(answer.url).text
    answer = second_step(browser, totp_code(doctor.user), next=wanted)
    assert answer["Location"] == wanted


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(wanted):
    doctor = a_doctor()
    browser, answer = with_password(doctor.user, next=wanted)
    assert answer["Location"] == "/staff/second-factor/?next=%2F"
    assert second_step(browser, totp_code(doctor.user), next=wanted)["Location"] == "/staff/"
    again = browser.get("/staff/second-factor/", {"next": wanted})
    assert again["Location"] == "/staff/"


def test_each_member_of_staff_has_a_first_page():
    officer = User.objects.create_user(a_phone(), PASSWORD, is_staff=True)
    assert as_patient(a_doctor().user).get("/staff/")["Location"] == DESK
    assert as_patient(officer).get("/staff/")["Location"] == reverse("admin:index")
    assert as_patient(a_user()).get("/staff/")["Location"] == "/"
    assert Client().get("/staff/")["Location"] == "/"


def test_other_methods_are_refused(client):
    refused = {
        "/staff/": ["post", "put"],
        "/staff/sign-in/": ["put", "delete"],
        "/staff/second-factor/": ["put", "delete"],
        "/staff/second-factor/picture.svg": ["post", "put"],
    }
    for path, methods in refused.items():
        assert [getattr(client, method)(path).status_code for method in methods] == [405, 405]


# --- the password -------------------------------------------------------------------------------
def test_a_wrong_password_and_an_unknown_number_get_the_same_answer_and_are_audited():
    doctor = a_doctor()
    nobody = User(phone=a_phone())
    browser, known = with_password(doctor.user, "another sentence")
    _browser, unknown = with_password(nobody, "another sentence")
    assert (known.status_code, unknown.status_code) == (422, 422)
    assert NOT_RIGHT in known.text
    same = without_csrf(unknown).replace(nobody.phone, doctor.user.phone)
    assert same == without_csrf(known)
    assert SESSION_KEY not in browser.session
    assert AuditEvent.objects.filter(action="staff.sign_in", refused=True).count() == 2


def test_a_patient_has_no_password_that_could_be_guessed():
    assert with_password(a_user(password="!"), "!")[1].status_code == 422


def test_somebody_who_left_cannot_sign_in():
    doctor = a_doctor()
    User.objects.filter(pk=doctor.user_id).update(is_active=False)
    assert with_password(doctor.user)[1].status_code == 422


def test_a_password_that_was_hashed_otherwise_is_hashed_anew_at_its_sign_in():
    """Whatever version, memory, passes and lanes it was made with."""
    doctor = a_doctor()
    for older in (Argon2PasswordHasher(), PBKDF2PasswordHasher()):
        User.objects.filter(pk=doctor.user_id).update(password=older.encode(PASSWORD, older.salt()))
        assert with_password(doctor.user)[1].status_code == 302
        doctor.user.refresh_from_db()
        assert "$m=19456,t=2,p=1$" in doctor.user.password


@pytest.mark.usefixtures("one_moment")
def test_after_ten_passwords_in_an_hour_even_the_right_one_waits():
    doctor = a_doctor()
    tried(doctor.user, PASSWORDS_PER_NUMBER - 1)
    assert with_password(doctor.user, "guess")[1].status_code == 422
    browser, answer = with_password(doctor.user)
    assert answer.status_code == 429
    assert re.search(r"Too many tries\. Try again in \d+ minutes?\.", answer.text)
    assert SESSION_KEY not in browser.session
    assert with_password(a_doctor().user)[1].status_code == 302


# --- the app ------------------------------------------------------------------------------------
def test_a_wrong_code_of_the_app_opens_nothing_and_is_audited():
    doctor = a_doctor()
    browser, _answer = with_password(doctor.user)
    answer = second_step(browser, wrong(totp_code(doctor.user)))
    assert answer.status_code == 422
    assert CODE_NOT_RIGHT in answer.text
    assert browser.get(DESK).status_code == 302
    assert [(event.by, event.action) for event in AuditEvent.objects.filter(refused=True)] == [
        (doctor.user, "staff.second_factor")
    ]


@pytest.mark.usefixtures("one_moment")
def test_after_a_wrong_code_the_right_one_has_to_wait_a_moment():
    doctor = a_doctor()
    browser, _answer = with_password(doctor.user)
    second_step(browser, wrong(totp_code(doctor.user)))
    assert second_step(browser, totp_code(doctor.user)).status_code == 422
    pause_is_over()
    assert second_step(browser, totp_code(doctor.user)).status_code == 302


def test_a_code_of_the_app_works_once():
    doctor = a_doctor()
    code = totp_code(doctor.user)
    first, second = with_password(doctor.user)[0], with_password(doctor.user)[0]
    assert second_step(first, code).status_code == 302
    assert second_step(second, code).status_code == 422
    assert second.get(DESK).status_code == 302


def test_the_code_of_another_doctors_app_opens_nothing():
    doctor, other = a_doctor(), a_doctor()
    browser, _answer = with_password(doctor.user)
    assert second_step(browser, totp_code(other.user)).status_code == 422


def test_a_code_by_sms_is_no_second_factor():
    doctor = a_doctor()
    Client().post("/sign-in/", {"phone": doctor.user.phone})
    PhoneDevice.objects.update(user=doctor.user)
    browser, _answer = with_password(doctor.user)
    assert second_step(browser, code_sent_to(doctor.user.phone)).status_code == 422
    assert browser.get(DESK).status_code == 302
    assert PhoneDevice.objects.get().tries == 0


def test_a_session_opened_by_sms_comes_neither_to_the_second_step_nor_to_the_picture():
    browser = as_patient(an_unpaired_doctor().user)
    for path in ("/staff/second-factor/", "/staff/second-factor/picture.svg"):
        assert browser.get(path)["Location"] == "/staff/sign-in/"
    assert second_step(browser, "123456")["Location"] == "/staff/sign-in/"
    assert TOTPDevice.objects.count() == 0


def test_the_second_step_of_nobody_leads_to_the_first():
    assert Client().get("/staff/second-factor/")["Location"] == "/staff/sign-in/"
    assert Client().get("/staff/second-factor/picture.svg")["Location"] == "/staff/sign-in/"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_code_of_the_app_used_by_several_at_once_works_once():
    doctor = a_doctor()
    code = totp_code(doctor.user)
    browsers = [with_password(doctor.user)[0] for _n in range(4)]
    statuses = at_once(4, lambda n: second_step(browsers[n], code).status_code)
    assert sorted(statuses) == [302, 422, 422, 422]


def drawn(picture) -> str:
    """The dark modules of a QR code."""
    return re.findall(r'class="qrline"[^>]* d="([^"]+)"', picture)[0]


# --- pairing ------------------------------------------------------------------------------------
def test_the_first_time_the_app_is_paired():
    doctor = an_unpaired_doctor()
    browser, answer = with_password(doctor.user)
    page = browser.get(answer.url)
    assert "Pair your authenticator app" in page.text
    assert 'src="/staff/second-factor/picture.svg"' in page.text
    picture = browser.get("/staff/second-factor/picture.svg")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/svg+xml")
    assert "no-store" in picture["Cache-Control"]
    device = TOTPDevice.objects.get()
    assert drawn(picture.text) == drawn(segno.make(device.config_url).svg_inline(scale=5, border=4))
    assert device.key not in page.text

    assert second_step(browser, wrong(totp_code(doctor.user))).status_code == 422
    assert TOTPDevice.objects.get().confirmed is False
    assert browser.get(DESK).status_code == 302
    pause_is_over()

    assert second_step(browser, totp_code(doctor.user)).status_code == 302
    assert TOTPDevice.objects.get().confirmed is True
    assert browser.get(DESK).status_code == 200


def test_a_paired_app_is_not_paired_again_and_its_picture_is_gone():
    doctor = a_doctor()
    TOTPDevice.objects.create(user=doctor.user, confirmed=False, name="left over")
    browser, answer = with_password(doctor.user)
    assert "Pair your authenticator app" not in browser.get(answer.url).text
    assert browser.get("/staff/second-factor/picture.svg").status_code == 404
    assert TOTPDevice.objects.count() == 2


def test_an_app_that_was_never_confirmed_opens_nothing():
    doctor = an_unpaired_doctor()
    browser, answer = with_password(doctor.user)
    browser.get(answer.url)
    session = browser.session
    session[DEVICE_ID_SESSION_KEY] = TOTPDevice.objects.get().persistent_id
    session.save()
    assert browser.get(DESK).status_code == 302


def test_two_first_visits_at_once_do_not_shut_the_doctor_out():
    doctor = an_unpaired_doctor()
    TOTPDevice.objects.create(user=doctor.user, confirmed=False, name="app")
    code = totp_code(doctor.user)
    TOTPDevice.objects.create(user=doctor.user, confirmed=False, name="app")
    browser, answer = with_password(doctor.user)
    assert browser.get(answer.url).status_code == 200
    first = TOTPDevice.objects.order_by("pk").first()
    picture = browser.get("/staff/second-factor/picture.svg").text
    assert drawn(picture) == drawn(segno.make(first.config_url).svg_inline(scale=5, border=4))
    assert second_step(browser, code).status_code == 302
    assert browser.get(DESK).status_code == 200


def test_signing_in_by_sms_later_does_not_keep_the_doctors_pages_open():
    doctor = a_doctor()
    browser = as_staff(doctor.user)
    assert browser.get(DESK).status_code == 200
    browser.post("/sign-out/")
    browser.post("/sign-in/", {"phone": doctor.user.phone})
    code = code_sent_to(doctor.user.phone)
    assert browser.post("/sign-in/code/", {"code": code}).status_code == 302
    assert browser.get(DESK)["Location"] == "/staff/sign-in/?next=%2Fdoctor%2F"
