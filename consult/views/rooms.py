"""The rooms of a consultation: each side's page, and what all of them carry."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse

from accounts.gates import SignedIn
from consult.people import Role
from esanjeevani.middleware import CALL_ALLOWED

ROOMS = {
    Role.PATIENT: "consult:visit",
    Role.HEALTH_WORKER: "consult:centre_visit",
    Role.DOCTOR: "consult:doctors_room",
    Role.SPECIALIST: "consult:specialists_room",
}


def allow_camera(response: HttpResponse) -> HttpResponse:
    """One of the few pages that may use camera and microphone (all others: PageHeaders)."""
    response.headers["Permissions-Policy"] = CALL_ALLOWED
    return response


def with_camera(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """As allow_camera(), for whatever page the view answers with."""

    @wraps(view)
    def allowed(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponse:
        return allow_camera(view(request, *args, **kwargs))

    return allowed
