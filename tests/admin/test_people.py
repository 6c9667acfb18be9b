"""The admin: accounts, their powers and their second factor."""

import pytest
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import AuditEvent, Post, User
from tests.admin.acting import page, refused_fields, sign_in
from tests.admin.rows import make_facility, make_post, make_totp, make_user

pytestmark = pytest.mark.django_db


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
