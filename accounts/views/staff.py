"""Signing in with password and authenticator app."""

from urllib.parse import urlencode

import segno
from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_otp import login as second_factor_login
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import actions
from accounts.actions.keys import app_that_shows
from accounts.actions.signing_in import limit_password_tries
from accounts.forms import AppCodeForm, StaffSignInForm
from accounts.gates import PASSWORD_BACKEND, by_password, facilities_of
from accounts.views.signing_in import next_page, why_wait


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Mobile number and password; then the second factor."""
    form = StaffSignInForm(request.POST or None)
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 422
        return render(request, "accounts/staff_sign_in.html", context, status=status)
    phone = form.cleaned_data["phone"]
    try:
        limit_password_tries(phone)
    except actions.TooMany as error:
        form.add_error(None, why_wait(error))
        return render(request, "accounts/staff_sign_in.html", context, status=429)
    user = authenticate(request, username=phone, password=form.cleaned_data["password"])
    if user is None:
        actions.refuse("staff.sign_in", "password", by=None)
        form.add_error(None, _("Number or password is not right."))
        return render(request, "accounts/staff_sign_in.html", context, status=422)
    login(request, user, backend=PASSWORD_BACKEND)
    query = urlencode({"next": next_page(request)})
    return redirect(f"{reverse('accounts:second_factor')}?{query}")


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """The code of the authenticator app; the first time the app is paired."""
    if not request.user.is_authenticated or not by_password(request.session):
        return redirect("accounts:staff_sign_in")
    if request.user.is_verified():
        return redirect(_after_sign_in(request))
    pairing = None
    if not TOTPDevice.objects.filter(user=request.user, confirmed=True).exists():
        # Not get_or_create: after a double click there may be two, and the first one is it.
        pairing = TOTPDevice.objects.filter(user=request.user, confirmed=False).first()
        pairing = pairing or TOTPDevice.objects.create(
            user=request.user, confirmed=False, name="app"
        )
    form = AppCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _accepts(request, form.cleaned_data["code"], pairing):
            return redirect(_after_sign_in(request))
        form.add_error("code", _("This code is not right. Wait for the next one in the app."))
    context = {"form": form, "pairing": pairing, "next": request.GET.get("next", "")}
    return render(
        request,
        "accounts/second_factor.html",
        context,
        status=422 if request.method == "POST" else 200,
    )


def _accepts(request: HttpRequest, code: str, pairing: TOTPDevice | None) -> bool:
    if pairing is None:
        device = app_that_shows(request.user, code)  # type: ignore[arg-type]
    else:
        device = pairing if pairing.verify_token(code) else None
        if device:
            TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    if device is None:
        actions.refuse("staff.second_factor", f"user:{request.user.pk}", by=request.user)
        return False
    second_factor_login(request, device)
    actions.record("staff.sign_in", f"user:{request.user.pk}", by=request.user)  # type: ignore[arg-type]
    return True


@never_cache
@require_safe
def pairing_picture(request: HttpRequest) -> HttpResponse:
    """The QR code for the authenticator app, while it is not paired yet."""
    if not request.user.is_authenticated or not by_password(request.session):
        return redirect("accounts:staff_sign_in")
    device = TOTPDevice.objects.filter(user=request.user, confirmed=False).first()
    if device is None or TOTPDevice.objects.filter(user=request.user, confirmed=True).exists():
        return HttpResponse(status=404)
    picture = segno.make(device.config_url).svg_inline(scale=5, border=4, light="white")
    picture = picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return HttpResponse(picture, content_type="image/svg+xml")


def _after_sign_in(request: HttpRequest) -> str:
    wanted = next_page(request)
    return wanted if wanted != reverse("home") else reverse("accounts:staff_home")


@require_safe
def staff_home(request: HttpRequest) -> HttpResponse:
    """Where a member of staff goes first: the doctor's line, the health centre's day, or the admin."""
    if hasattr(request.user, "doctor"):
        return redirect("consult:desk")
    if facilities_of(request.user):
        return redirect("consult:centre")
    return redirect("admin:index" if getattr(request.user, "is_staff", False) else "home")
