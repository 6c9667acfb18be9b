"""What one does in the admin."""

from django.urls import reverse
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.gates import PASSWORD_BACKEND
from accounts.models import User


def sign_in(client, user: User, *, second_factor=True) -> None:
    client.force_login(user, backend=PASSWORD_BACKEND)
    if second_factor:
        device = TOTPDevice.objects.create(user=user, name="app", confirmed=True)
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()


def page(row, kind: str = "change") -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}"
    return reverse(name, args=[] if kind in ("changelist", "add") else [row.pk])


def refused_fields(response) -> dict:
    return response.context["adminform"].form.errors
