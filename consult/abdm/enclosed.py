"""Files inside documents from elsewhere: found without trust, and opened only as what they decode to."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from consult.abdm.reading import dict_at, dicts_at, resources_of, text_in
from consult.uploads import MAX_BYTES, BadFile, CleanFile, clean_content

MOST = 50  # of one document
LONGEST = MAX_BYTES * 2  # characters of a file in base64, and of the white space in it
# What opens here; another kind is named by reading.read() and stays closed.
KINDS = {"application/pdf", "image/jpeg", "image/png", "image/webp"}


@dataclass(frozen=True)
class Enclosed:
    """One file of a document: its name, and its content still in base64."""

    name: str
    data: str

    def open(self) -> CleanFile:
        """Checked and written anew, as an upload is. Raises BadFile."""
        if len(self.data) > MAX_BYTES * 4 // 3 + 4:
            raise BadFile("too_big")
        try:
            content = b64decode(self.data)
        except (binascii.Error, ValueError):
            raise BadFile("broken") from None
        return clean_content(self.name, content)


def files_of(bundle: Any) -> list[Enclosed]:
    """In the order of the document; those without content, or of another kind, are left out."""
    found = [
        Enclosed(_name(resource, attachment), data)
        for resource in resources_of(bundle)
        for attachment in _attachments(resource)
        if (data := text_in(attachment, "data", LONGEST))
        and text_in(attachment, "contentType").partition(";")[0].lower() in KINDS
    ]
    return found[:MOST]


def _attachments(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return {
        "Binary": [resource],
        "DiagnosticReport": dicts_at(resource, "presentedForm"),
        "DocumentReference": [dict_at(one, "attachment") for one in dicts_at(resource, "content")],
        "Media": [dict_at(resource, "content")],
    }.get(str(resource.get("resourceType")), [])


def _name(resource: dict[str, Any], attachment: dict[str, Any]) -> str:
    said = text_in(attachment, "title") or text_in(resource, "description")
    if said:
        return said[:120]
    kind = text_in(attachment, "contentType")
    return _("Photo") if kind.lower().startswith("image/") else _("Document")
