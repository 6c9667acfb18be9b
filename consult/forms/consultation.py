"""The shape of what patients and doctors type."""

import uuid
from typing import Any
from unicodedata import digit

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Patient
from accounts.phone import normalise
from consult.models import (
    ChatMessage,
    Consultation,
    Feedback,
    Grievance,
    Note,
)
from consult.uploads import BadFile, CleanFile, clean_upload
from esanjeevani.rendering.forms import WordsForm, share_fields
from queues.models import Clinic

CHILDBEARING_AGES = range(10, 61)


class ClinicField(forms.ModelChoiceField):
    """One clinic, by the id that addresses use; named with its speciality."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"to_field_name": "uid", "queryset": Clinic.objects.none(), **kwargs})

    def label_from_instance(self, obj: Any) -> str:
        return self.name_of(obj)

    @staticmethod
    def name_of(clinic: Clinic) -> str:
        return f"{clinic.speciality.local_name} · {clinic.local_name}"


@share_fields
class CaseForm(WordsForm):
    """What is wrong, in the patient's words."""

    since = forms.ChoiceField(
        label=gettext_lazy("Since when?"),
        choices=Consultation.Since.choices,
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Consultation
        fields = ["complaint", "since", "allergies", "medicines", "is_pregnant", "is_disabled"]
        widgets = {
            "complaint": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {
            "complaint": gettext_lazy("In your own words: what hurts, where, how strong?"),
            "allergies": gettext_lazy("To medicines or food. Leave empty if none."),
            "medicines": gettext_lazy("What you take every day. Leave empty if none."),
        }

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if patient.sex == Patient.Sex.MALE or patient.age not in CHILDBEARING_AGES:
            del self.fields["is_pregnant"]

    def clean_complaint(self) -> str:
        words = str(self.cleaned_data["complaint"]).strip()
        if not any(char.isalpha() for char in words):
            raise forms.ValidationError(_("Write in words what is wrong."))
        return words


def why_refused(error: BadFile) -> str:
    """What was wrong with a file and what to do, in one sentence or two."""
    return {
        "empty": _("This file is empty. Choose another one."),
        "too_big": _("This file is too big. A photo or PDF may have 10 MB and 60 pages."),
        "unknown": _("This is neither a photo (JPEG, PNG, WebP) nor a PDF."),
        "broken": _("This file is damaged and cannot be read. Take the photo again."),
        "too_many_pixels": _("This picture is too large. Take it with a lower resolution."),
        "active": _(
            "This PDF holds a program or another file, so it is not safe. Send a photo of it."
        ),
        "locked": _("This PDF is locked with a password. Send a photo of it."),
    }[error.reason]


class UploadField(forms.FileField):
    """A photo or PDF, checked and written anew."""

    widget = forms.FileInput(
        attrs={"accept": "image/jpeg,image/png,image/webp,application/pdf", "data-upload": ""}
    )
    default_error_messages = {
        "empty": gettext_lazy("This file is empty. Choose another one."),
        "required": gettext_lazy("Choose a photo or a PDF first."),
    }

    def clean(self, data: UploadedFile | None, initial: Any = None) -> CleanFile | None:
        upload = super().clean(data, initial)
        if not upload:
            return None
        try:
            return clean_upload(upload)
        except BadFile as error:
            raise forms.ValidationError(why_refused(error), code=error.reason) from None


class UploadForm(forms.Form):
    file = UploadField(label=gettext_lazy("Photo or PDF"))


@share_fields
class ConfirmForm(forms.Form):
    consent = forms.BooleanField(
        label=gettext_lazy("I agree to treatment by a doctor over the internet."),
        error_messages={
            "required": gettext_lazy("Without your consent no doctor can treat you here.")
        },
    )
    may_phone = forms.BooleanField(
        label=gettext_lazy("If the call breaks off, the doctor may see my number and phone me."),
        required=False,
    )


class MessageForm(forms.Form):
    """A chat message as the page without JavaScript sends it."""

    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    text = forms.CharField(
        label=gettext_lazy("Your message"),
        required=False,
        max_length=ChatMessage.MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    file = UploadField(label=gettext_lazy("Photo or PDF"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("text", "").strip() and not cleaned.get("file"):
            raise forms.ValidationError(_("Write something or choose a file."))
        return cleaned


@share_fields
class NoteForm(WordsForm):
    class Meta:
        model = Note
        fields = [
            "findings", "diagnosis", "is_provisional", "tests", "advice", "red_flags",
            "follow_up_on",
        ]  # fmt: skip
        widgets = {
            "findings": forms.Textarea(attrs={"rows": 3}),
            "tests": forms.Textarea(attrs={"rows": 2}),
            "advice": forms.Textarea(attrs={"rows": 2}),
            "red_flags": forms.Textarea(attrs={"rows": 2}),
            "follow_up_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def clean_follow_up_on(self) -> Any:
        day = self.cleaned_data["follow_up_on"]
        if day and day < timezone.localdate():
            raise forms.ValidationError(_("The follow-up lies in the past."))
        return day


class ReturnForm(forms.Form):
    """To a patient at home."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why?"),
        choices=[(reason.value, reason.label) for reason in Consultation.RETURN_REASONS],
    )
    words = forms.CharField(
        label=gettext_lazy("What should the patient do?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class CentreReturnForm(ReturnForm):
    """To a health centre, with a clinic to send it to instead."""

    clinic = ClinicField(label=gettext_lazy("Which clinic is right?"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"].label = _("What should the health worker do?")


class FeedbackForm(forms.ModelForm):
    stars = forms.TypedChoiceField(
        label=gettext_lazy("How was it?"),
        coerce=int,
        choices=[
            (5, gettext_lazy("Very good")),
            (4, gettext_lazy("Good")),
            (3, gettext_lazy("All right")),
            (2, gettext_lazy("Bad")),
            (1, gettext_lazy("Very bad")),
        ],
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Feedback
        fields = ["stars", "words"]
        widgets = {"words": forms.Textarea(attrs={"rows": 3})}


class GrievanceForm(forms.ModelForm):
    class Meta:
        model = Grievance
        fields = ["about", "words", "phone"]
        widgets = {
            "words": forms.Textarea(attrs={"rows": 5}),
            "about": forms.RadioSelect,
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        }
        help_texts = {"phone": gettext_lazy("Only if you want an answer.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["about"].choices = Grievance.About.choices  # type: ignore[attr-defined]
        self.fields["phone"].max_length = 40  # type: ignore[attr-defined]

    def clean_phone(self) -> str:
        typed = self.cleaned_data["phone"]
        return normalise(typed) if typed else ""


class CheckForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code on the prescription"),
        max_length=40,
        help_text=gettext_lazy("12 letters and digits below the square picture"),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "class": "code long"}),
    )

    def clean_code(self) -> str:
        """Letters and digits alone; digits of another script count as ours."""
        typed = "".join(str(digit(char, char)) for char in self.cleaned_data["code"].upper())
        code = "".join(char for char in typed if char.isascii() and char.isalnum())
        if not code:
            raise forms.ValidationError(self.fields["code"].help_text)
        return code
