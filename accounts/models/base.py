"""What several models share."""

import uuid
from functools import cache
from typing import Any

from django.db import models
from django.utils.translation import get_language


class Serves(models.TextChoices):
    """The sex that a clinic or a speciality is for."""

    ALL = "all", "Everybody"
    FEMALE = "female", "Women and girls"
    MALE = "male", "Men and boys"


@cache
def _labels(field: "models.Field[Any, Any]") -> dict[Any, Any]:
    return dict(field.flatchoices)


class Labelled(models.Model):
    """A row whose choices are shown on pages: Django would hash all their labels each time."""

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: "models.Field[Any, Any]") -> str:  # noqa: N802 - Django's
        value = getattr(self, field.attname)
        return str(_labels(field).get(value, value))


class Public(Labelled):
    """A row with an address of its own: 122 random bits, and checked for permission all the same."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True


class Named(models.Model):
    """A row with a name in English and, where somebody wrote it, in other languages."""

    name = models.CharField(max_length=120)
    names = models.JSONField(
        default=dict, blank=True, help_text='Other languages by code, for example {"hi": "केरल"}.'
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        return self.name_in(get_language() or "en")

    def name_in(self, language: str) -> Any:
        return self.names.get(language) or self.name
