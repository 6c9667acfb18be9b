"""The admin: who may enter, and what they see there."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.urls import reverse
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.models import PhoneDevice, User
from tests.admin.acting import page, sign_in
from tests.admin.rows import make_consultation, make_doctor, make_patient

pytestmark = pytest.mark.django_db


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


def test_the_administration_is_in_english_for_whoever_reads_hindi_elsewhere(boss_client):
    shown = boss_client.get("/admin/", headers={"Accept-Language": "hi"}).content.decode()
    assert ("Change" in shown, "बदलें" in shown) == (True, False)
