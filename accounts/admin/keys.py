from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions import record
from accounts.actions.keys import give_key
from accounts.admin.base import officer
from accounts.models import ApiToken, MachineClient
from esanjeevani.admin_site import ReadOnly, Secretive, Undeletable


@admin.register(MachineClient)
class MachineClientAdmin(Undeletable, Secretive, admin.ModelAdmin):
    """Systems of facilities. The key is shown once, when it is given; a lost one is replaced."""

    secret_columns = ("key_hash",)
    list_display = [
        "name",
        "facility",
        "answers_for",
        "may_read_records",
        "may_send_vitals",
        "revoked_at",
    ]
    list_select_related = ["facility", "answers_for"]
    list_filter = ["may_read_records", "may_send_vitals"]
    search_fields = ["name", "facility__name"]
    raw_id_fields = ["facility", "answers_for"]
    fields = ["name", "facility", "answers_for", "may_read_records", "may_send_vitals"]
    actions = ["give_new_key", "end"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            record("client.change", obj, by=officer(request))
        else:
            self._give(request, obj)

    def _give(self, request: HttpRequest, client: MachineClient) -> None:
        key = give_key(client=client, by=officer(request))
        messages.warning(request, f"The key of {client.name}, shown this once: {key}")

    @admin.action(
        description="Give a new key; the old one opens nothing any more", permissions=["change"]
    )
    def give_new_key(self, request: HttpRequest, rows: Any) -> None:
        for client in rows:
            self._give(request, client)

    @admin.action(description="End it: its key opens nothing any more", permissions=["change"])
    def end(self, request: HttpRequest, rows: Any) -> None:
        for client in rows.filter(revoked_at=None):
            MachineClient.objects.filter(pk=client.pk).update(revoked_at=timezone.now())
            record("client.end", client, by=officer(request))


@admin.register(ApiToken)
class ApiTokenAdmin(Secretive, ReadOnly, admin.ModelAdmin):
    """Where people's programs are signed in. Whoever lost a device signs it out themselves."""

    secret_columns = ("key_hash",)
    list_display = ["user", "device", "has_second_factor", "created_at", "expires_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__phone"]
    fields = ["user", "device", "has_second_factor", "created_at", "expires_at", "revoked_at"]
