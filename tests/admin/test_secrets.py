"""The admin: what it shows to nobody."""

import pytest

from tests.admin.acting import page
from tests.admin.rows import make_attachment, make_message, make_phone_device, make_totp, make_user

pytestmark = pytest.mark.django_db


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
