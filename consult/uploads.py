"""Uploaded files: decoded, checked and written anew. What cannot be understood is refused."""

import io
import unicodedata
from dataclasses import dataclass
from math import ceil
from typing import Any

import pikepdf
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.models import User
from consult.models import Attachment, Consultation

MAX_BYTES = 10 * 1024 * 1024
# The largest phone cameras; a JPEG is decoded at reduced size. The others are decoded whole and
# take 4 to 16 bytes a pixel. Checked before anything is decoded.
MAX_PIXELS = {"JPEG": 120_000_000, "PNG": 40_000_000, "WEBP": 16_000_000}
MAX_PIXELS_PROGRESSIVE = 40_000_000
MAX_SIDE = 2560  # pixels kept: enough to read a lab report
MAX_PAGES = 60
MAX_PDF_OBJECTS = 60_000
IMAGE_FORMATS = ["JPEG", "PNG", "WEBP"]
ACTIVE_ACTIONS = {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/Rendition"}
ACTIVE_KEYS = {"/JavaScript", "/JS", "/EmbeddedFiles", "/EF", "/AA", "/XFA", "/RichMediaContent"}
JOINERS = "\u200c\u200d"  # Indian scripts write with them

Image.MAX_IMAGE_PIXELS = None  # our own limits are checked before anything is decoded
pikepdf.settings.set_qpdf_limits(flate_max_memory=64 * 1024 * 1024)


class BadFile(Exception):
    """The file was refused. `reason`: empty, too_big, unknown, broken, too_many_pixels, active, locked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class CleanFile:
    """A file that was checked and written anew."""

    name: str
    kind: Attachment.Kind
    content: bytes

    def attach(self, consultation: Consultation, by: User) -> Attachment:
        return Attachment.objects.create(
            consultation=consultation,
            uploaded_by=by,
            name=self.name,
            kind=self.kind,
            size=len(self.content),
            file=ContentFile(self.content, name=self.name),
        )


def clean_upload(upload: UploadedFile) -> CleanFile:
    """What may be stored of `upload`. Raises BadFile. The name and type it claims are not believed."""
    if upload.size is None or upload.size > MAX_BYTES:
        raise BadFile("too_big")
    return clean_content(upload.name or "", upload.read())


def clean_content(name: str, content: bytes) -> CleanFile:
    """What is in a file of at most MAX_BYTES, written anew. Raises BadFile."""
    if not content:
        raise BadFile("empty")
    stem = _safe_stem(name)
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return CleanFile(f"{stem}.pdf", Attachment.Kind.PDF, clean_pdf(content))
    return CleanFile(f"{stem}.jpg", Attachment.Kind.JPEG, clean_image(content))


def clean_image(content: bytes) -> bytes:
    """The picture alone, as JPEG: no EXIF, so no place; no trailing bytes, so no disguise."""
    try:
        with Image.open(io.BytesIO(content), formats=IMAGE_FORMATS) as image:
            most = MAX_PIXELS[image.format or ""]
            if image.info.get("progressive"):
                most = MAX_PIXELS_PROGRESSIVE
            if image.width * image.height > most:
                raise BadFile("too_many_pixels")
            scale = min(1.0, MAX_SIDE / max(image.size))
            image.draft("RGB", (ceil(image.width * scale), ceil(image.height * scale)))
            image.thumbnail((MAX_SIDE, MAX_SIDE), reducing_gap=None)
            plain = _on_white(ImageOps.exif_transpose(image))
            plain.info = {}  # a comment would be written again
            written = io.BytesIO()
            plain.save(written, "JPEG", quality=85, optimize=True)
            return written.getvalue()
    except BadFile:
        raise
    except UnidentifiedImageError:
        raise BadFile("unknown") from None
    except Exception as error:  # decoders raise anything on a damaged file
        raise BadFile("broken") from error


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


def clean_pdf(content: bytes) -> bytes:
    """The document written anew, if it holds no script, no action and no embedded file."""
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if len(pdf.pages) > MAX_PAGES or len(pdf.objects) > MAX_PDF_OBJECTS:
                raise BadFile("too_big")
            if not pdf.pages:
                raise BadFile("broken")
            for item in [pdf.trailer, *pdf.objects]:
                _refuse_active(item)
            written = io.BytesIO()
            pdf.save(written)
            return written.getvalue()
    except BadFile:
        raise
    except pikepdf.PasswordError:
        raise BadFile("locked") from None
    except Exception as error:
        raise BadFile("broken") from error


def _refuse_active(item: Any, depth: int = 0) -> None:
    """Looks into direct objects; indirect ones come by themselves in the list of objects."""
    if depth > 40:
        raise BadFile("broken")
    if isinstance(item, (pikepdf.Dictionary, pikepdf.Stream)):
        keys = set(item.keys())
        if keys & ACTIVE_KEYS or str(item.get("/S", "")) in ACTIVE_ACTIONS or _opens(item):
            raise BadFile("active")
        inner = [item[key] for key in keys if not _is_indirect(item[key])]
    elif isinstance(item, pikepdf.Array):
        inner = [part for part in item if not _is_indirect(part)]
    else:
        return
    for part in inner:
        _refuse_active(part, depth + 1)


def _opens(item: Any) -> bool:
    """Whether something else than a view of the document comes up when it is opened."""
    action = item.get("/OpenAction")
    return isinstance(action, pikepdf.Dictionary) and str(action.get("/S", "")) != "/GoTo"


def _is_indirect(item: Any) -> bool:
    return getattr(item, "is_indirect", False)


def _safe_stem(name: str) -> str:
    """Its letters, of any script, without folders and ending."""
    last = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    words = "".join(char if _is_of_a_word(char) else " " for char in last).split()
    return " ".join(words)[:60].strip() or "file"


def _is_of_a_word(char: str) -> bool:
    return char.isalnum() or char in f"_-{JOINERS}" or unicodedata.category(char)[0] == "M"
