"""The admin's site: who may enter it, and what all its pages share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from csp.constants import SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

# The stock admin's scripts are files of this site, but they write HTML: no Trusted Types here.
ADMIN_CSP = {
    "img-src": [SELF, "data:"],
    "require-trusted-types-for": None,
    "trusted-types": None,
}


class Choices(AutocompleteJsonView):
    """What is offered for a field is what its form would take: the model's admin says what that is."""

    def get_queryset(self) -> Any:
        choices_for = getattr(self.model_admin, "choices_for", None)
        if choices_for is None:
            return super().get_queryset()
        rows = choices_for(self.request, self.source_field).complex_filter(
            self.source_field.get_limit_choices_to()
        )
        found, has_doubles = self.model_admin.get_search_results(self.request, rows, self.term)
        return found.distinct() if has_doubles else found


@dataclass(frozen=True)
class Page:
    """A page of the admin that is no model's; `allowed` says to whom the first page links it."""

    route: str
    name: str
    title: str
    view: Callable[..., Any]
    allowed: Callable[[HttpRequest], bool]


class StaffSite(AdminSite):
    """The admin, for staff with a second factor; signing in and out are the site's own pages."""

    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = "Administration"
    empty_value_display = "–"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.pages: list[Page] = []

    def get_urls(self) -> list[Any]:
        own = [path(one.route, self.admin_view(one.view), name=one.name) for one in self.pages]
        return own + super().get_urls()

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        pages = [one for one in self.pages if one.allowed(request)]
        return super().index(request, {"pages": pages, **(extra_context or {})})

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff whose session holds a TOTP code; a code by SMS is no second factor to a phone."""
        user = request.user
        second_factor = getattr(user, "otp_device", None)
        return bool(
            user.is_active
            and getattr(user, "is_staff", False)
            and isinstance(second_factor, TOTPDevice)
        )

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return csp_replace(ADMIN_CSP)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        index = reverse("admin:index")
        if request.method == "GET" and self.has_permission(request):
            return redirect(index)
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or index
        query = urlencode({REDIRECT_FIELD_NAME: wanted})
        return redirect(f"{reverse('accounts:staff_sign_in')}?{query}")

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return Choices.as_view(admin_site=self)(request)

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("accounts:sign_out", preserve_request=True)


class ReadOnly:
    """Mixin: rows that are looked at here and changed nowhere in the admin."""

    def has_add_permission(self, *_args: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any) -> bool:
        return False


class Undeletable:
    """Mixin: rows that others refer to for ever; they are ended or switched off instead."""

    def has_delete_permission(self, *_args: Any) -> bool:
        return False


class Secretive:
    """Mixin: columns that a list's address may not filter by.

    The admin filters by any column that is written into the address; "code_hash__startswith=3"
    would read a secret out letter by letter.
    """

    secret_columns: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        if lookup.split(LOOKUP_SEP)[0] in self.secret_columns:
            return False
        return bool(super().lookup_allowed(lookup, value, request))  # type: ignore[misc]
