"""How forms become HTML: our own look of a field, and Django's own controls without a template for each.

And what their fields need not cost.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.db.models.fields import BLANK_CHOICE_DASH
from django.forms import BaseForm, Field
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.html import conditional_escape as escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

COLON = lazy(_, str)(":")  # Django's, after a label: looked up where it is shown
DASHES = BLANK_CHOICE_DASH[0][1]


class _Shared(dict[str, Field]):
    """Fields that each form takes as they are."""

    def __deepcopy__(self, memo: Any) -> dict[str, Field]:
        return dict(self)


FormClass = TypeVar("FormClass", bound=type[BaseForm])


def share_fields(form_class: FormClass) -> FormClass:
    """For forms that change none of their fields: Django would copy each field for each form.

    They may leave some out, or put others in their place. Classes made from it share nothing.
    """
    fields: Any = form_class  # a form's class has them by its metaclass
    fields.base_fields = _Shared(fields.base_fields)
    return form_class


class QuickForm(BaseForm):
    """A form that checks what was typed without what it takes to be shown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": COLON, **kwargs})

    def _clean_fields(self) -> None:
        """Django makes a bound field of each, with its label and hint, to ask what was typed."""
        for name, field in self.fields.items():
            try:
                self.cleaned_data[name] = self._cleaned(name, field)
                if clean := getattr(self, f"clean_{name}", None):
                    self.cleaned_data[name] = clean()
            except ValidationError as error:
                self.add_error(name, error)

    def _cleaned(self, name: str, field: Any) -> Any:
        if field.disabled or isinstance(field, forms.FileField):  # they ask what there was before
            return field._clean_bound_field(self[name])
        typed = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        return field.clean(typed)


class WordsForm(QuickForm, forms.ModelForm):
    """Fields of a model, for what an action writes from what they have checked.

    Without an `instance` to show no row is made, and none is checked: that its constraints hold is the
    database's to say, and Django would compose them for each form.
    """

    def __init__(
        self, data: Any = None, files: Any = None, instance: Model | None = None, **kwargs: Any
    ) -> None:
        if instance is None:
            BaseForm.__init__(self, data, files, **{"label_suffix": COLON, **kwargs})
        else:
            super().__init__(data, files, instance=instance, **kwargs)

    def _post_clean(self) -> None:
        pass


class Renderer(TemplatesSetting):
    """Our own look of a form and of a field: label, hint, error, control.

    A page may have fifty controls. Each as a template of Django's costs a thousand calls of Python
    functions, so the common ones are written here; tests hold them against Django's.
    """

    form_template_name = "_form.html"
    field_template_name = "_field.html"

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> str:
        if write := CONTROLS.get(template_name):
            return SafeString(write(context["widget"]))  # each value is escaped
        return super().render(template_name, context, request)


Control = Mapping[str, Any]


def _attributes(control: Control) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{escape(str(value))}"'
        for name, value in control["attrs"].items()
        if value is not False
    )


def _input(control: Control) -> str:
    value = control["value"]
    shown = "" if value is None else f' value="{escape(str(value))}"'
    name = escape(control["name"])
    return f'<input type="{control["type"]}" name="{name}"{shown}{_attributes(control)}>'


def _option(control: Control) -> str:
    """One of several to choose from; inside its label where Django draws that too."""
    if not control["wrap_label"]:
        return _input(control)
    of = f' for="{escape(control["attrs"]["id"])}"' if control["attrs"].get("id") else ""
    return f"<label{of}>{_input(control)}\n{escape(control['label'])}</label>"


def _textarea(control: Control) -> str:
    text = escape(control["value"] or "")
    name = escape(control["name"])
    return f'<textarea name="{name}"{_attributes(control)}>\n{text}</textarea>'


def _select(control: Control) -> str:
    groups = "".join(_group(name, options) for name, options, _index in control["optgroups"])
    return f'<select name="{escape(control["name"])}"{_attributes(control)}>{groups}\n</select>'


def _group(name: Any, options: list[Control]) -> str:
    shown = "".join(
        f'\n  <option value="{escape(str(one["value"]))}"{_attributes(one)}>{escape(_words(one))}</option>'
        for one in options
    )
    if not name:
        return shown
    return f'\n  <optgroup label="{escape(str(name))}">{shown}\n  </optgroup>'


def _words(option: Control) -> Any:
    """Where nothing is chosen yet Django shows dashes."""
    is_empty = option["value"] == "" and option["label"] == DASHES
    return _("Choose…") if is_empty else option["label"]


CONTROLS: dict[str, Callable[[Control], str]] = {
    **dict.fromkeys(
        [
            f"django/forms/widgets/{kind}.html"
            for kind in ("checkbox", "date", "file", "hidden", "input", "number", "tel", "text")
        ],
        _input,
    ),
    "django/forms/widgets/checkbox_option.html": _option,
    "django/forms/widgets/radio_option.html": _option,
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
}
