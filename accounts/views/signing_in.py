"""Signing in by a code, and the privacy notice."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login, logout
from django.core import signing
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions, broadcast
from accounts.forms import CodeForm, PhoneForm
from accounts.gates import NOTICE_SESSION_KEY, PHONE_BACKEND, has_accepted_notice
from accounts.models import CodeRefused, User
from accounts.notice import NOTICE_VERSION
from accounts.phone import spaced

# The number travels between the two pages in a signed cookie: a visitor who never finishes
# signing in leaves no row behind.
PHONE_COOKIE = "phone"
PHONE_COOKIE_AGE = 15 * 60


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for the mobile number and send a code."""
    if request.method == "GET" and request.user.is_authenticated:
        return redirect(next_page(request))
    form = PhoneForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 422
        return _page(request, "sign_in", form, status)
    phone = form.cleaned_data["phone"]
    try:
        actions.send_code(phone=phone, language=get_language() or "en")
    except (actions.TooMany, CodeRefused) as error:
        form.add_error(None, why_wait(error))
        return _page(request, "sign_in", form, 429)
    response = redirect(_with_next("accounts:code", request))
    response.set_signed_cookie(
        PHONE_COOKIE,
        phone,
        max_age=PHONE_COOKIE_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SECURE,
    )
    return response


@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code; a right one signs in."""
    phone = _phone_of(request)
    if request.user.is_authenticated:  # the back button
        return redirect(next_page(request))
    if phone is None:
        return redirect(_with_next("accounts:sign_in", request))
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            user, status = _try_code(form, phone)
            if user:
                return _signed_in(request, user)
    return _page(request, "code", form, status, phone=spaced(phone))


def _try_code(form: CodeForm, phone: str) -> tuple[User | None, int]:
    language = get_language() or "en"
    try:
        return actions.sign_in(phone=phone, code=form.cleaned_data["code"], language=language), 200
    except (actions.TooMany, CodeRefused) as error:
        form.add_error("code", why_wait(error))
        too_fast = isinstance(error, actions.TooMany) or error.reason in ("wait", "locked")
        return None, 429 if too_fast else 422


def _signed_in(request: HttpRequest, user: User) -> HttpResponse:
    login(request, user, backend=PHONE_BACKEND)
    response = redirect(next_page(request))
    response.delete_cookie(PHONE_COOKIE)
    return response


def why_wait(error: actions.TooMany | CodeRefused) -> str:
    """One sentence: what happened, what to do next."""
    if isinstance(error, actions.TooMany):
        return ngettext(
            "Too many tries. Try again in %(n)d minute.",
            "Too many tries. Try again in %(n)d minutes.",
            minutes := _minutes(error.seconds),
        ) % {"n": minutes}
    if error.reason == "locked":
        return ngettext(
            "Too many wrong codes. For your safety this number can sign in again in %(n)d minute.",
            "Too many wrong codes. For your safety this number can sign in again in %(n)d minutes.",
            minutes := _minutes(error.seconds),
        ) % {"n": minutes}
    if error.reason == "expired":
        return _("This code is no longer valid. Ask for a new one.")
    if error.reason == "wait":
        return ngettext(
            "That was too fast. Wait %(n)d second and try again.",
            "That was too fast. Wait %(n)d seconds and try again.",
            error.seconds,
        ) % {"n": error.seconds}
    return _("This code is not right. Look at the newest SMS and try again.")


def _minutes(seconds: int) -> int:
    return max(1, -(-seconds // 60))


@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    """Send a new code to the same number; the old one stops working."""
    phone = _phone_of(request)
    if phone is None:
        return redirect(_with_next("accounts:sign_in", request))
    try:
        actions.send_code(phone=phone, language=get_language() or "en")
    except (actions.TooMany, CodeRefused) as error:
        return _page(request, "code", CodeForm(), 429, phone=spaced(phone), error=why_wait(error))
    return redirect(_with_next("accounts:code", request, sent="1"))


@require_http_methods(["GET", "POST"])
def privacy(request: HttpRequest) -> HttpResponse:
    """The notice, for everybody to read; accepted once by whoever signed in."""
    if request.method == "POST" and request.user.is_authenticated:
        actions.accept_notice(by=request.user, language=get_language() or "en")
        request.session[NOTICE_SESSION_KEY] = NOTICE_VERSION
        return redirect(next_page(request))
    asked = request.user.is_authenticated and not has_accepted_notice(request)
    context = {"asked": asked, "version": NOTICE_VERSION, "next": request.GET.get("next", "")}
    return render(request, "accounts/privacy.html", context)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and the open sockets of the account with it."""
    user = request.user
    if user.is_authenticated:
        logout(request)
        broadcast.signed_out(user)  # only now: a page that reconnects must find the session ended
    return redirect("home")


def next_page(request: HttpRequest) -> str:
    """Where to go after signing in: only to a page of this site."""
    wanted = _wanted(request)
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return reverse("home")


def _wanted(request: HttpRequest) -> str:
    return request.POST.get("next") or request.GET.get("next") or ""


def _page(
    request: HttpRequest, name: str, form: Form, status: int, **context: object
) -> HttpResponse:
    context |= {"form": form, "next": _wanted(request)}
    return render(request, f"accounts/{name}.html", context, status=status)


def _with_next(name: str, request: HttpRequest, **query: str) -> str:
    if wanted := _wanted(request):
        query["next"] = wanted
    return f"{reverse(name)}?{urlencode(query)}" if query else reverse(name)


def _phone_of(request: HttpRequest) -> str | None:
    try:
        return request.get_signed_cookie(PHONE_COOKIE, max_age=PHONE_COOKIE_AGE)
    except (KeyError, signing.BadSignature):
        return None
