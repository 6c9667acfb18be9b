"""Parts of a room that are the same for everybody of whom the same few facts hold: kept, with holes.

Nothing of a patient's comes into a part that is kept: it is given those facts and no consultation. What
is another on each page is put in afterwards, where the part has holes.
"""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from consult.models import Consultation
from esanjeevani.rendering.form_key import form_key
from esanjeevani.rendering.kept import kept

UID = UUID("00000000-0000-4000-8000-000000000001")  # an address is made of nothing else than an id
HOLE = re.compile(f"\ue000(\\w+)\ue001|{UID}")


def hole(name: str) -> SafeString:
    """The place of what is put in for each page: of characters that no text has."""
    return mark_safe(f"\ue000{name}\ue001")  # noqa: S308 - no words at all


@dataclass(frozen=True)
class Kind:
    """What such parts ask of a consultation, by the names that their templates know."""

    facility_id: bool  # whether there is one
    may_phone: bool
    phone_centre: bool
    is_written: bool
    uid: UUID = UID

    @property
    def facility(self) -> bool:
        return self.facility_id


class KeptParts:
    """The kept parts of one page."""

    def __init__(self, request: HttpRequest, consultation: Consultation) -> None:
        self._request, self._uid = request, str(consultation.uid)
        self._kind = Kind(
            facility_id=consultation.facility_id is not None,
            may_phone=consultation.may_phone,
            phone_centre=consultation.phone_centre,
            is_written=consultation.is_written,
        )

    @cached_property
    def csrf(self) -> str:
        return form_key(self._request)

    def part(
        self, template: str, fills: Mapping[str, str] | None = None, **facts: Hashable
    ) -> SafeString:
        """The template's HTML; `fills` is what comes into its holes, escaped already.

        A fact that is a function is called by the template: a form that is the same for everybody.
        """
        html = kept(template, consultation=self._kind, csrf_token=hole("csrf"), **facts)
        known = {"csrf": self.csrf, **(fills or {})}
        filled = HOLE.sub(lambda found: known[found[1]] if found[1] else self._uid, html)
        return mark_safe(filled)  # noqa: S308 - rendered by a template, as what is filled in
