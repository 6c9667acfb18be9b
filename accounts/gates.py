"""Who may open a page: decorators that state a view's preconditions."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import BigAutoField, DateTimeField, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.actions import refuse
from accounts.models import AccountSession, Doctor, Facility, NoticeAcceptance, Post, User
from accounts.notice import NOTICE_VERSION
from accounts.session_store import WITH_DOCTOR, WITH_POSTS
from esanjeevani.sql.composed import Composed

View = Callable[..., HttpResponseBase]


class SignedIn(HttpRequest):
    """A request behind one of the gates below: somebody is signed in."""

    user: User


class AtCentre(SignedIn):
    """A request of a health worker, at one of the health centres of their posts."""

    facility: Facility
    facilities: list[Facility]


Row = TypeVar("Row", bound=Model)
DOCTOR_OF = Composed(
    lambda user: Doctor.objects.select_related("speciality").filter(user=user),
    user=BigAutoField(),
)
POSTS_OF = Composed(
    lambda user, now: (
        Post.objects.at_centres(now)
        .filter(user=user)
        .select_related("facility__state", "facility__district")
        .order_by("facility__name")
    ),
    user=BigAutoField(),
    now=DateTimeField(),
)
NOTICE_SESSION_KEY = "notice"
FACILITY_SESSION_KEY = "facility"
PASSWORD_BACKEND = "accounts.backends.PasswordBackend"  # noqa: S105 - a dotted path
PHONE_BACKEND = "accounts.backends.PhoneBackend"


def signed_in(view: View) -> View:
    """Anybody with a session."""

    @wraps(view)
    def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(page_of(request))
        return view(request, *args, **kwargs)

    return gated


def noticed(view: View) -> View:
    """Signed in, and the privacy notice in force accepted."""

    @signed_in
    @wraps(view)
    def gated(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not has_accepted_notice(request):
            return _first("accounts:privacy", request)
        return view(request, *args, **kwargs)

    return gated


def _first(page: str, request: HttpRequest) -> HttpResponse:
    """To a page that comes before the one that was asked for, and leads on to it."""
    return redirect(f"{reverse(page)}?{urlencode({'next': page_of(request)})}")


def page_of(request: HttpRequest) -> str:
    """Where to go on after signing in: of a form whose address is no page, to the page that sent it."""
    sent_by = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(sent_by, allowed_hosts={request.get_host()})
    if request.method != "POST" or not is_ours:
        return request.get_full_path()
    return urlsplit(sent_by)._replace(scheme="", netloc="").geturl()


def has_accepted_notice(request: Any) -> bool:
    """Remembered in the session once it was found in the table."""
    if request.session.get(NOTICE_SESSION_KEY) == NOTICE_VERSION:
        return True
    accepted = NoticeAcceptance.objects.filter(user=request.user, version=NOTICE_VERSION).exists()
    if accepted:
        request.session[NOTICE_SESSION_KEY] = NOTICE_VERSION
    return accepted


def _staff_only(session_with: Composed[AccountSession], view: View) -> View:
    """Somebody who signed in with password and second factor.

    The session is asked for here first, and with it what the gate itself asks.
    """

    @wraps(view)
    def gated(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.session.reads = session_with
        if not request.user.is_authenticated or not by_password(request.session):
            return _first("accounts:staff_sign_in", request)
        if not request.user.is_verified():
            return _first("accounts:second_factor", request)
        return view(request, *args, **kwargs)

    return gated


def doctor_only(view: View) -> View:
    """A doctor who signed in with password and second factor; passed on as request.user.doctor."""

    @wraps(view)
    def gated(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if doctor_of(request.user) is None:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return _staff_only(WITH_DOCTOR, gated)


def asks_as_doctor(request: Any) -> bool:
    """As doctor_only wants it, for what answers programs of a page."""
    request.session.reads = WITH_DOCTOR
    is_staff = by_password(request.session) and request.user.is_verified()
    return is_staff and doctor_of(request.user) is not None


def health_worker_only(view: View) -> View:
    """A health worker with an open post, signed in as above; the centre is request.facility.

    Whoever has none, or has none any more, is written down; the page of one patient is 404 to them.
    """

    @wraps(view)
    def gated(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.facilities = facilities_of(request.user)
        request.facility = chosen_facility(request.facilities, request.session)
        if request.facility is None:
            refuse("centre.refused", request.path[:80], by=request.user)
            raise Http404 if kwargs else PermissionDenied
        return view(request, *args, **kwargs)

    return _staff_only(WITH_POSTS, gated)


def facilities_of(user: Any) -> list[Facility]:
    """The health centres where this person has an open post; asked for unless the session brought them."""
    came: list[Facility] | None = getattr(user, "centres", None)
    if came is not None:
        return came
    return [post.facility for post in POSTS_OF.all(user=user.pk, now=timezone.now())]


def doctor_of(user: Any) -> Doctor | None:
    """The doctor who this person is; asked for unless the session brought them."""
    known: Any = Doctor.user.field.remote_field
    if not known.is_cached(user):
        known.set_cached_value(user, DOCTOR_OF.first(user=user.pk))
    doctor: Doctor | None = getattr(user, "doctor", None)
    return doctor


def chosen_facility(facilities: list[Facility], session: Any) -> Facility | None:
    """The one chosen in this session, else the first; None without a post."""
    chosen = (one for one in facilities if one.pk == session.get(FACILITY_SESSION_KEY))
    return next(chosen, facilities[0] if facilities else None)


def is_doctor(user: Any) -> bool:
    return user.is_authenticated and doctor_of(user) is not None


def by_password(session: Any) -> bool:
    """Opened with a password, not with a code by SMS."""
    return bool(session.get(BACKEND_SESSION_KEY) == PASSWORD_BACKEND)


def has_second_factor(session: Any) -> bool:
    """For sockets, where django-otp's middleware does not run: the session holds a checked device."""
    return by_password(session) and bool(session.get(DEVICE_ID_SESSION_KEY))


def get_or_refuse(
    visible: "QuerySet[Row]", everything: "QuerySet[Row]", request: SignedIn, **lookup: Any
) -> Row:
    """The row if it is visible, else 404; a row that exists but is somebody else's is audited."""
    return found_or_refused(visible.filter(**lookup).first(), everything, request, **lookup)


def found_or_refused(
    row: Row | None, everything: "QuerySet[Row]", request: SignedIn, **lookup: Any
) -> Row:
    """As get_or_refuse(), where the row was looked for among the visible ones already."""
    if row is not None:
        return row
    hidden = everything.filter(**lookup).first()
    if hidden is not None:
        refuse(f"{hidden._meta.model_name}.refused", hidden, by=request.user)
    raise Http404
