"""Who comes through which door. Every page is tried, also those that will be written later."""

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.gates import PASSWORD_BACKEND
from accounts.models import PhoneDevice, User
from tests.factories import PASSWORD, a_doctor, a_phone, a_user, as_patient, as_staff

pytestmark = pytest.mark.django_db

# For everybody. Whatever is not named here asks who one is.
OPEN = {
    "",
    "sign-in/",
    "sign-in/code/",
    "sign-in/resend/",
    "sign-out/",
    "privacy/",
    "patients/districts/",
    "staff/",
    "staff/sign-in/",
    "language/",
    "healthz",
    "readyz",
    "check/",
    "check/<slug:code>/",
    "check/<slug:code>",
    "check/keys.json",
    "grievance/",
}
VALUES = {
    "<uuid:": str(uuid.uuid4()),
    "<short:": "A" * 22,
    "<slug:": "ABCD-EFGH",
    "<int:": "1",
    "<path:": "v3/anything",
}


def routes(resolver=None, before="") -> list[str]:
    found = []
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += routes(pattern, route)
        elif isinstance(pattern, URLPattern):
            found.append(route)
    return [route for route in found if not route.startswith(("admin/", "demo/"))]


def filled(route) -> str:
    """The route as an address, with an id that nobody has."""
    parts = route.split("/")
    for index, part in enumerate(parts):
        if part.startswith("<"):
            kind = part.partition(":")[0] + ":"
            parts[index] = VALUES[kind] + part.partition(">")[2]
    return "/" + "/".join(parts)


def answers(browser, address) -> list[tuple[int, str]]:
    """To a GET and a POST: the status, and where it leads without its query."""
    both = [browser.get(address), browser.post(address)]
    return [(one.status_code, one.get("Location", "").partition("?")[0]) for one in both]


# For programs: what has no key is told so, and what has no address is nowhere.
FOR_PROGRAMS = ("api/", "fhir/", "abdm/", "^(?:api|fhir|abdm)/")
OPEN_TO_PROGRAMS = {
    "api/v1/grievances/",
    "api/v1/prescriptions/check/",
    "api/v1/schema/",
    "api/v1/sign-in/",
    "api/v1/sign-in/code/",
    "api/v1/sign-in/staff/",
    "fhir/metadata",
}
PROGRAMS = [route for route in routes() if route.startswith(FOR_PROGRAMS)]
ASKS = [route for route in routes() if route not in OPEN and route not in PROGRAMS]
DOCTORS = [route for route in routes() if route.startswith("doctor/")]


def test_there_is_something_to_try():
    assert set(routes()) >= OPEN
    assert len(ASKS) > 25
    assert len(DOCTORS) > 10


def let_in(browser, routes, *allowed) -> dict[str, list]:
    """The routes that answered something else than a wrong method or what is allowed."""
    got = {route: answers(browser, filled(route)) for route in routes}
    return {route: got[route] for route in routes if set(got[route]) - {(405, ""), *allowed}}


def test_nobody_gets_in_anywhere_without_signing_in():
    to_sign_in = [(302, "/sign-in/"), (302, "/staff/sign-in/")]
    assert let_in(Client(), ASKS, *to_sign_in, (403, "")) == {}


def test_no_program_gets_in_without_a_key(settings):
    settings.API_PER_MINUTE = settings.API_PER_MINUTE | {"address": 1_000}
    assert len(PROGRAMS) > 40
    assert set(PROGRAMS) >= OPEN_TO_PROGRAMS
    closed = [route for route in PROGRAMS if route not in OPEN_TO_PROGRAMS]
    assert let_in(Client(), closed, (401, ""), (403, ""), (404, "")) == {}


def test_a_doctor_who_signed_in_by_sms_is_sent_to_the_staff_sign_in():
    assert let_in(as_patient(a_doctor().user), DOCTORS, (302, "/staff/sign-in/")) == {}


def test_a_doctor_without_the_second_step_is_sent_to_it():
    browser = Client()
    browser.force_login(a_doctor().user, backend=PASSWORD_BACKEND)
    assert let_in(browser, DOCTORS, (302, "/staff/second-factor/")) == {}


def test_staff_who_are_no_doctors_are_refused():
    officer = User.objects.create_user(a_phone(), PASSWORD, is_staff=True, is_superuser=True)
    TOTPDevice.objects.create(user=officer, name="app", confirmed=True)
    assert let_in(as_staff(officer), DOCTORS, (403, "")) == {}


def test_the_refusal_is_a_page_with_a_sentence():
    officer = User.objects.create_user(a_phone(), PASSWORD)
    TOTPDevice.objects.create(user=officer, name="app", confirmed=True)
    page = as_staff(officer).get("/doctor/")
    assert page.status_code == 403
    assert "this page is for people with another task" in page.text


def test_the_gate_remembers_where_one_wanted_to_go():
    assert Client().get("/patients/")["Location"] == "/sign-in/?next=/patients/"
    assert Client().get("/book/?clinic=3")["Location"] == "/sign-in/?next=/book/%3Fclinic%3D3"
    assert Client().get("/doctor/")["Location"] == "/staff/sign-in/?next=%2Fdoctor%2F"


@pytest.mark.parametrize(
    ("page", "form", "to"),
    [
        ("/consultations/1f/", "/consultations/{uid}/leave/", "/sign-in/"),
        ("/doctor/consultations/1f/", "/doctor/consultations/{uid}/save/", "/staff/sign-in/"),
    ],
)
def test_who_pressed_a_button_after_the_session_ended_comes_back_to_its_page(page, form, to):
    """Not to the button's address, which is no page: that would be an error as thanks for signing in."""
    address = form.format(uid=uuid.uuid4())
    ours, theirs = f"http://testserver{page}", f"http://elsewhere.example{page}"
    sent = [Client().post(address, headers={"Referer": one}) for one in (ours, theirs)]
    led = [urlsplit(answer["Location"]) for answer in sent]
    assert [(one.path, parse_qs(one.query)) for one in led] == [
        (to, {"next": [page]}),
        (to, {"next": [address]}),
    ]


def test_a_session_ends_when_the_account_is_closed():
    user = a_user()
    browser = as_patient(user)
    assert browser.get("/patients/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert browser.get("/patients/")["Location"] == "/sign-in/?next=/patients/"


def test_a_changed_password_ends_the_sessions_of_the_old_one():
    doctor = a_doctor()
    browser = as_staff(doctor.user)
    assert browser.get("/doctor/").status_code == 200
    doctor.user.set_password("another long sentence")
    doctor.user.save()
    assert browser.get("/doctor/").status_code == 302


def test_an_app_that_was_taken_away_opens_nothing_any_more():
    doctor = a_doctor()
    browser = as_staff(doctor.user)
    TOTPDevice.objects.filter(user=doctor.user).delete()
    assert browser.get("/doctor/")["Location"] == "/staff/second-factor/?next=%2Fdoctor%2F"


def test_the_app_of_somebody_else_in_the_session_opens_nothing():
    doctor, other = a_doctor(), a_doctor()
    browser = as_staff(doctor.user)
    session = browser.session
    session[DEVICE_ID_SESSION_KEY] = TOTPDevice.objects.get(user=other.user).persistent_id
    session.save()
    assert browser.get("/doctor/").status_code == 302


def test_the_admin_opens_to_staff_with_an_app_and_to_nobody_else():
    officer = User.objects.create_user(a_phone(), PASSWORD, is_staff=True, is_superuser=True)
    app = TOTPDevice.objects.create(user=officer, name="app", confirmed=True)
    sms = PhoneDevice.objects.create(user=officer, phone=officer.phone, name="sms")
    index = reverse("admin:index")
    closed = {
        "nobody": Client(),
        "a patient": as_patient(a_user()),
        "a doctor": as_staff(a_doctor().user),
        "staff by SMS": as_patient(officer),
        "staff by password alone": with_device(officer, None),
        "staff whose second step was an SMS": with_device(officer, sms),
    }
    for who, browser in closed.items():
        answer = browser.get(index)
        assert (who, answer.status_code) == (who, 302)
        assert "/sign-in/" in browser.get(index, follow=True).redirect_chain[-1][0]
    assert with_device(officer, app).get(index).status_code == 200
    TOTPDevice.objects.update(confirmed=False)
    assert with_device(officer, app).get(index).status_code == 302


def with_device(user, device) -> Client:
    browser = Client()
    browser.force_login(user, backend=PASSWORD_BACKEND)
    session = browser.session
    assert session[BACKEND_SESSION_KEY] == PASSWORD_BACKEND
    if device:
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()
    return browser
