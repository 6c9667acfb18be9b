from functools import partial
from typing import Any

from django import forms
from django.db.models import SmallIntegerField, TextField
from django.db.models.functions import Cast
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import OLDEST, PatientForm
from accounts.models import District, State
from accounts.phone import normalise
from esanjeevani.rendering.forms import share_fields
from esanjeevani.rendering.kept import in_each_language, once
from esanjeevani.sql.composed import Columns, together


@share_fields
class FindForm(forms.Form):
    """A number, or name with age and village: either finds."""

    number = forms.CharField(
        label=gettext_lazy("Mobile, patient or ABHA number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    name = forms.CharField(label=gettext_lazy("or name"), required=False, max_length=120)
    age = forms.IntegerField(
        label=gettext_lazy("and age"),
        required=False,
        min_value=0,
        max_value=OLDEST,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    village = forms.CharField(label=gettext_lazy("and village"), required=False, max_length=80)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors or cleaned.get("number", "").strip():
            return cleaned
        given = [cleaned.get("name", "").strip(), cleaned.get("village", "").strip()]
        if not all(given) or cleaned.get("age") is None:
            raise forms.ValidationError(
                _("Give a number, or the name with age and village: all three.")
            )
        return cleaned

    def by_name(self) -> SafeString:
        """The fields beside the number."""
        write = partial(self.render, "consult/centre/_by_name.html")
        is_typed = any(self[name].value() for name in ("name", "age", "village"))
        return write() if is_typed or self.errors else once("find by name", write)


# What there is to choose from, as it is now.
STATES = Columns(lambda: State.objects.order_by("name").values_list("pk", "name"))
DISTRICTS = Columns(
    lambda state: District.objects.filter(state=state).values_list(
        "pk", "name", Cast("names", TextField())
    ),
    state=SmallIntegerField(),
)


@share_fields
class CentrePatientForm(PatientForm):
    """As patients register themselves, with the number at which they can be reached."""

    phone = forms.CharField(
        label=gettext_lazy("Mobile number"),
        max_length=40,
        help_text=gettext_lazy(
            "Of the patient or a relative. The prescription comes there by SMS."
        ),
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )
    field_order = ["phone", "name", "birth_date", "age", "sex"]

    def for_newcomer(self) -> SafeString:
        """The form. Where nothing is typed but the number, the fields below it are the same for everybody
        who comes to this health centre, while there are the same places to choose from."""
        if self.is_bound or any(self.initial.get(name) for name in ("name", "age")):
            return self.render()
        places = together(STATES.asked(), DISTRICTS.asked(state=self._chosen_state()))
        initial = tuple(
            (name, self.initial.get(name)) for name in ("state", "district", "language")
        )
        others = _below_the_number(initial, *map(tuple, places))
        return self["phone"].as_field_group() + others

    def clean_phone(self) -> str:
        return normalise(self.cleaned_data["phone"])


Places = tuple[tuple[object, ...], ...]


@in_each_language()
def _below_the_number(initial: Places, states: Places, districts: Places) -> SafeString:
    del states, districts  # which the form shows by itself
    form = CentrePatientForm(initial=dict(initial))  # type: ignore[arg-type]
    del form.fields["phone"]
    return form.render()
