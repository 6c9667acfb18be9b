"""Officers see, choose and change in the admin only what their area holds; superusers everything."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Field, Q, QuerySet
from django.http import Http404, HttpRequest

from accounts.actions import refuse
from accounts.admin.base import officer
from accounts.area import Area, area_of
from accounts.models import User
from accounts.phone import normalise


class ChoosesInArea(BaseModelAdmin):
    """Rows of the area, and in their forms only choices that the officer may make."""

    def in_area(self, area: Area) -> Q:
        """Which rows are the officer's."""
        raise NotImplementedError

    def choosable(self, area: Area, field: Field) -> Q:
        """Which rows may stand in `field` of another row; the officer's own unless said otherwise."""
        return self.in_area(area)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        area = area_of(request)
        return rows if area.everywhere else rows.filter(self.in_area(area))

    def choices_for(self, request: HttpRequest, field: Field) -> QuerySet:
        """What the form takes, and so what is offered: one rule for both."""
        area = area_of(request)
        rows = self.model._default_manager.all()
        if ordering := self.get_ordering(request):
            rows = rows.order_by(*ordering)
        return rows if area.everywhere else rows.filter(self.choosable(area, field))

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        asked: Any = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(asked, ChoosesInArea):
            kwargs["queryset"] = asked.choices_for(request, db_field)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class InArea(ChoosesInArea, admin.ModelAdmin):
    """A page of rows that lie somewhere. A row outside the officer's area answers 404, under audit."""

    def needed(self, area: Area) -> list[str]:
        """Fields without which a row would lie outside the officer's area."""
        return []

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            return row
        try:
            hidden = self.model._default_manager.filter(pk=object_id).first()
        except (ValueError, ValidationError):
            hidden = None
        if hidden is not None:
            refuse("admin.refused", hidden, by=officer(request))
        raise Http404

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        area = area_of(request)
        for name in [] if area.everywhere else self.needed(area):
            if name in form.base_fields:
                form.base_fields[name].required = True
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The forms offer nothing else; should one be posted past them, nothing is saved."""
        super().save_model(request, obj, form, change)
        area = area_of(request)
        saved = self.model._default_manager.filter(pk=obj.pk)
        if not area.everywhere and not saved.filter(self.in_area(area)).exists():
            raise PermissionDenied


class PersonField(forms.ModelChoiceField):
    """A person by mobile number: officers name whom they know, and browse nobody's accounts."""

    widget = forms.TextInput

    def __init__(self, *, not_oneself: User, **kwargs: Any) -> None:
        super().__init__(User.objects.filter(is_active=True), to_field_name="phone", **kwargs)
        self.not_oneself = not_oneself
        self.help_text = "The person's mobile number. Add the account first if there is none."
        self.error_messages["invalid_choice"] = "There is no account with this mobile number."

    def to_python(self, value: Any) -> Any:
        person = super().to_python(normalise(value) if value else value)
        if person == self.not_oneself:
            raise ValidationError("Nobody appoints themselves: ask another officer.")
        return person


class NamesPeople(BaseModelAdmin):
    """A form in which officers write a `user` by mobile number; superusers look accounts up."""

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name != "user" or area_of(request).everywhere:
            return super().formfield_for_foreignkey(db_field, request, **kwargs)
        return PersonField(not_oneself=officer(request), label="Mobile number")
