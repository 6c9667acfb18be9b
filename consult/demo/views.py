"""Pages of the demonstration only: who there is, and the SMS that would have been sent."""

from time import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Message
from accounts.phone import spaced
from consult.demo.people import DEMO_STAFF

SMS_SHOWN = 30


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The accounts of the staff, each with the code its authenticator app would show now."""
    devices = TOTPDevice.objects.filter(confirmed=True).select_related("user")
    codes = {device.user.phone: _code_now(device) for device in devices}
    staff = [
        {"person": person, "phone": spaced(person.phone), "code": codes.get(person.phone, "")}
        for person in DEMO_STAFF
    ]
    return render(request, "demo/people.html", {"staff": staff})


def _code_now(device: TOTPDevice) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time()
    return f"{totp.token():0{device.digits}d}"


@require_safe
def sms(request: HttpRequest) -> HttpResponse:
    newest = Message.objects.select_related("template").order_by("-pk")[:SMS_SHOWN]
    return render(
        request, "demo/sms.html", {"sent": [(spaced(message.to), message) for message in newest]}
    )
