"""The formulary: looked at here; changed only by a proposal that another person approves."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.base import officer
from consult import actions
from consult.formulary_csv import COLUMNS, BadRows, Row, formulary_rows, read_csv, write_csv
from consult.models import (
    DoseRange,
    Drug,
    DrugName,
    DrugRule,
    FormularyChange,
    Interaction,
    Product,
)
from esanjeevani.admin_site import ReadOnly
from queues.models import MoveRefused

MOST_BYTES = 4_000_000


class Rows(ReadOnly, admin.TabularInline):
    extra = 0


class NameInline(Rows):
    model = DrugName
    fields = ["name"]


class ProductInline(Rows):
    model = Product


class RuleInline(Rows):
    model = DrugRule


class DoseInline(Rows):
    model = DoseRange


class InteractionInline(Rows):
    model = Interaction
    fk_name = "first"


@admin.register(Drug)
class DrugAdmin(ReadOnly, admin.ModelAdmin):
    """Read-only: "Propose a change" is the way to change anything."""

    change_list_template = "admin/formulary_list.html"
    list_display = ["generic", "drug_class", "lists", "pregnancy", "withdrawn_on"]
    list_filter = ["rules__list", "pregnancy", ("withdrawn_on", admin.EmptyFieldListFilter)]
    search_fields = ["generic", "names__name", "drug_class"]
    inlines = [RuleInline, ProductInline, DoseInline, InteractionInline, NameInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Drug]:
        return super().get_queryset(request).prefetch_related("rules")

    @admin.display(description="Lists today")
    def lists(self, drug: Drug) -> str:
        today = timezone.localdate()
        return ", ".join(
            sorted(
                {
                    rule.get_list_display()
                    for rule in drug.rules.all()
                    if rule.effective_from <= today
                    and (rule.effective_to is None or rule.effective_to >= today)
                }
            )
        )

    def get_urls(self) -> list[Any]:
        export = path(
            "export/", self.admin_site.admin_view(self.export), name="consult_drug_export"
        )
        return [export, *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse:
        """The whole formulary as the CSV file that a proposal takes."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        day = timezone.localdate()
        text = actions.export_formulary(by=officer(request))
        response = HttpResponse(text, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="formulary-{day}.csv"'
        return response


@admin.register(DrugRule)
class DrugRuleAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["drug", "list", "use", "video_only", "effective_from", "effective_to"]
    list_filter = ["list", "use"]
    list_select_related = ["drug"]
    search_fields = ["drug__generic", "source", "note"]


class ProposalForm(forms.ModelForm):
    """Rows as CSV: typed, or from a file."""

    text = forms.CharField(
        label="Rows (CSV)",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "class": "vLargeTextField", "wrap": "off"}),
        help_text="The first line names the columns. An empty cell leaves what is there.",
    )
    file = forms.FileField(label="or a CSV file", required=False)

    class Meta:
        model = FormularyChange
        fields = ["title"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text", "")
        try:
            cleaned["rows"] = read_csv(_read(file) if file else text)
        except BadRows as error:
            self.add_error("file" if file else "text", [*error.problems])
        return cleaned


def _read(file: UploadedFile) -> str:
    """Raises BadRows."""
    if (file.size or 0) > MOST_BYTES:
        raise BadRows(["The file has more than 4 MB."])
    try:
        return file.read().decode("utf-8")
    except UnicodeDecodeError:
        raise BadRows(["The file is not UTF-8 text. Save it as CSV (UTF-8)."]) from None


@admin.register(FormularyChange)
class FormularyChangeAdmin(admin.ModelAdmin):
    """One proposes, another approves; afterwards a change stays as it is."""

    form = ProposalForm
    list_display = ["title", "state", "count", "proposed_by", "proposed_at", "decided_by"]
    list_filter = ["state"]
    list_select_related = ["proposed_by", "decided_by"]
    actions = ["approve", "reject"]
    fieldsets = [(None, {"fields": ["title", "text", "file"]})]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.fieldsets
        shown = ["title", "state", "proposed_by", "proposed_at", "decided_by", "decided_at"]
        return [(None, {"fields": [*shown, "shown_rows"]})]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """With ?generic=… the rows of that generic as they are now, to be changed."""
        generic = request.GET.get("generic", "")
        rows = [row for row in formulary_rows(timezone.localdate()) if row["generic"] == generic]
        return {"text": write_csv(rows), "title": generic}

    @admin.display(description="Rows")
    def count(self, change: FormularyChange) -> int:
        return len(change.rows)

    @admin.display(description="Rows")
    def shown_rows(self, change: FormularyChange) -> SafeString:
        return format_html("<pre>{}</pre>", write_csv(_whole(row) for row in change.rows))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made = actions.propose_change(
            title=form.cleaned_data["title"],
            rows=form.cleaned_data["rows"],
            by=officer(request),
        )
        obj.pk, obj.rows = made.pk, made.rows

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("consult.approve_formularychange")

    @admin.action(description="Approve: write it into the formulary", permissions=["approve"])
    def approve(self, request: HttpRequest, changes: QuerySet[FormularyChange]) -> None:
        self._decide(request, changes, actions.approve_change, "Approved")

    @admin.action(description="Reject", permissions=["approve"])
    def reject(self, request: HttpRequest, changes: QuerySet[FormularyChange]) -> None:
        self._decide(request, changes, actions.reject_change, "Rejected")

    def _decide(
        self, request: HttpRequest, changes: QuerySet[FormularyChange], decide: Any, done: str
    ) -> None:
        for change in changes.order_by("pk"):
            try:
                decide(change=change, by=officer(request))
            except actions.SamePerson:
                words = "Another person than the one who proposed it must decide."
                self.message_user(request, f"{change}: {words}", messages.ERROR)
            except MoveRefused:
                self.message_user(request, f"{change}: decided before.", messages.WARNING)
            except BadRows as error:
                self.message_user(request, f"{change}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{done}: {change}.", messages.SUCCESS)


def _whole(row: Row) -> Row:
    return {name: row.get(name, "") for name in COLUMNS}
