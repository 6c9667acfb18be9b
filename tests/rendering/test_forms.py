"""Controls that are written without a template: they are Django's own, but for empty lines."""

import re

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields import BLANK_CHOICE_DASH
from django.forms.renderers import TemplatesSetting
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from accounts.forms import PatientForm, PlaceSelect
from esanjeevani.rendering.forms import CONTROLS, QuickForm, Renderer, share_fields
from tests.factories import a_district

NASTY = """"><script>alert('x')</script> & 'क्षेत्र'"""
CHOICES = [
    ("", _("No")),
    (NASTY, NASTY),
    ("b", mark_safe("<i>safe</i>")),
    (NASTY, [("1", "one"), (2, NASTY)]),
]
ATTRIBUTES = {"id": "id_x", "data-words": NASTY, "required": True, "disabled": False, "rows": 3}
WIDGETS = [
    forms.TextInput,
    forms.NumberInput,
    forms.DateInput,
    forms.FileInput,
    forms.HiddenInput,
    forms.CheckboxInput,
    forms.Textarea,
    forms.Select,
    forms.SelectMultiple,
    forms.RadioSelect,
    forms.CheckboxSelectMultiple,
]


@pytest.mark.parametrize("kind", WIDGETS)
@pytest.mark.parametrize("value", [None, "", "b", NASTY, 2, True, mark_safe("<b>safe</b>")])
def test_a_control_is_the_one_that_django_draws(kind, value):
    widget = kind(choices=CHOICES) if hasattr(kind, "choices") else kind()
    typed = [value] if kind in (forms.SelectMultiple, forms.CheckboxSelectMultiple) else value
    ours, djangos = (
        widget.render(NASTY, typed, attrs=ATTRIBUTES, renderer=renderer)
        for renderer in (Renderer(), TemplatesSetting())
    )
    assert lines(ours) == lines(djangos)


def lines(text: str) -> str:
    return re.sub(r"\s*\n\s*", "\n", text)


@pytest.mark.parametrize("value", [None, "", "b", NASTY, 2])
def test_a_choice_of_places_is_the_one_that_django_draws(value):
    choices = [*CHOICES[:3], (2, "two")]
    ours, djangos = (
        kind(choices=choices).render(NASTY, value, attrs=ATTRIBUTES, renderer=renderer)
        for kind, renderer in ((PlaceSelect, Renderer()), (forms.Select, TemplatesSetting()))
    )
    assert lines(ours) == lines(djangos)


@pytest.mark.parametrize("kind", [forms.RadioSelect, forms.CheckboxSelectMultiple])
@pytest.mark.parametrize("wrap_label", [True, False])
def test_one_of_several_is_too(kind, wrap_label):
    class Asked(forms.Form):
        field = forms.MultipleChoiceField(choices=CHOICES, widget=kind)

    def drawn(renderer):
        return [lines(one.tag(wrap_label)) for one in Asked(renderer=renderer)["field"]]

    assert drawn(Renderer()) == drawn(TemplatesSetting())


def test_where_nothing_is_chosen_yet_one_is_asked_in_words():
    choices = [*BLANK_CHOICE_DASH, ("dashes", BLANK_CHOICE_DASH[0][1])]
    shown = forms.Select(choices=choices).render("x", "", renderer=Renderer())
    assert re.findall(r">(.+)</option>", shown) == ["Choose…", "---------"]


def test_all_are_compared():
    assert {f"django/forms/widgets/{kind}.html" for kind in ("tel", "input")} < CONTROLS.keys()


def test_forms_share_their_fields_and_what_is_made_of_them_does_not():
    @share_fields
    class Shared(forms.Form):
        name = forms.CharField()
        age = forms.IntegerField()

    class Own(Shared):
        pass

    first, second = Shared(), Shared()
    assert first.fields["name"] is second.fields["name"]
    del first.fields["age"]
    assert list(second.fields) == ["name", "age"]
    assert Own().fields["name"] is not Own().fields["name"]


@pytest.mark.django_db
def test_what_one_form_has_found_is_not_known_to_the_next():
    district = a_district()
    typed = {
        "name": "Asha", "age": "34", "sex": "female", "address": "12 Canal Road", "language": "en",
        "state": str(district.state_id), "district": str(district.pk),
    }  # fmt: skip
    assert PatientForm(typed).is_valid()
    fresh = PatientForm(typed)
    assert [fresh.fields[name].known for name in ("state", "district")] == [None, None]
    assert "state" in PatientForm(typed | {"state": "99"}).errors


class Asked(forms.Form):
    name = forms.CharField(max_length=5)
    age = forms.IntegerField(required=False)
    born = forms.SplitDateTimeField(required=False)
    fixed = forms.CharField(disabled=True)
    photo = forms.FileField(required=False)

    def clean_name(self):
        if self.cleaned_data["name"] == "nobody":
            raise forms.ValidationError("who?")
        return self.cleaned_data["name"].title()


class QuicklyAsked(QuickForm, Asked):
    pass


@pytest.mark.parametrize(
    "typed",
    [
        {"a-name": "asha", "a-age": "34", "a-born_0": "1990-02-03", "a-born_1": "04:05"},
        {"a-name": "nobody", "a-age": "old", "a-fixed": "other", "a-born_0": "x"},
        {"a-name": "too long a name", "name": "other"},
        {},
    ],
)
def test_what_was_typed_is_checked_as_django_checks_it(typed):
    photo = SimpleUploadedFile("a.jpg", b"x")
    for files in ({}, {"a-photo": photo}, {"a-photo": SimpleUploadedFile("b.jpg", b"")}):
        ours, djangos = (
            form(typed, files, prefix="a", initial={"fixed": "kept", "photo": "before.jpg"})
            for form in (QuicklyAsked, Asked)
        )
        assert (ours.errors, ours.cleaned_data) == (djangos.errors, djangos.cleaned_data)
    assert QuicklyAsked()["name"].label_tag() == Asked()["name"].label_tag()
