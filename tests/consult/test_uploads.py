"""Uploaded files: what is kept is a picture or a document and nothing else."""

import contextlib
import io
import random
import struct
import zlib

import pikepdf
import pytest
from PIL import Image

from consult.uploads import MAX_BYTES, MAX_PAGES, MAX_SIDE, BadFile, clean_upload
from tests.factories import a_pdf, a_photo, an_upload


def kept(content: bytes, name: str = "file") -> bytes:
    return clean_upload(an_upload(content, name)).content


def why_not(content: bytes, name: str = "file") -> str:
    with pytest.raises(BadFile) as refused:
        kept(content, name)
    return refused.value.reason


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def claiming(content: bytes, width: int, height: int) -> bytes:
    """The same few bytes with another size in their header."""
    kind = picture(content).format
    if kind == "PNG":
        header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
        return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    if kind == "WEBP":
        return content[:26] + struct.pack("<HH", width, height) + content[30:]
    start = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2"))
    return content[: start + 5] + struct.pack(">HH", height, width) + content[start + 9 :]


# --- disguises ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0<html><script>x</script></html>", "broken"),
        (b"<html><script>x</script></html>%PDF-1.7", "unknown"),
        (b"%PDF-1.7<html><script>x</script></html>", "broken"),
        (b"%PDF-", "broken"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "unknown"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>', "unknown"),
        (b"MZ\x90\x00" + bytes(60), "unknown"),
        (b"PK\x03\x04" + bytes(60), "unknown"),
        (b"\x89PNG\r\n\x1a\n", "unknown"),
        (b"x" * (MAX_BYTES + 1), "too_big"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else value,
)
def test_what_only_looks_like_a_picture_or_a_document_is_refused(content: bytes, reason: str):
    assert why_not(content) == reason


def test_its_name_and_its_claimed_type_are_not_believed():
    upload = an_upload(a_pdf(), "photo.jpg")
    upload.content_type = "image/jpeg"
    clean = clean_upload(upload)
    assert (clean.name, clean.kind) == ("photo.pdf", "application/pdf")
    assert why_not(b"<html></html>", "report.pdf") == "unknown"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../../etc/passwd.jpg", "passwd"),
        ("C:\\Users\\asha\\rash.png", "C Users asha rash"),
        ("रिपोर्ट हिन्दी.png", "रिपोर्ट हिन्दी"),
        ('a"b\r\nSet-Cookie: x.png', "a b Set-Cookie x"),
        ("\u202egnp.exe", "gnp"),
        ("...", "file"),
        (".png", "file"),
        ("x" * 300 + ".png", "x" * 60),
    ],
)
def test_a_name_keeps_its_letters_and_loses_the_rest(name: str, stem: str):
    upload = an_upload(a_photo())
    upload._name = name
    assert clean_upload(upload).name == f"{stem}.jpg"


# --- pictures -----------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_a_jpeg_of_the_same_size(kind: str):
    made = picture(kept(a_photo((60, 40), kind)))
    assert (made.format, made.size) == ("JPEG", (60, 40))
    red, green, blue = made.getpixel((30, 20))
    assert (red < 20, 110 < green < 145, 110 < blue < 145) == (True, True, True)


def test_the_place_where_a_photo_was_taken_is_not_kept():
    exif = Image.Exif()
    exif[0x0110] = "Asha's phone"
    exif.get_ifd(0x8825).update({1: "N", 2: (9.0, 58.0, 0.0), 3: "E", 4: (76.0, 16.0, 0.0)})
    photo = a_photo(exif=exif, comment=b"home")
    assert picture(photo).getexif().get_ifd(0x8825) != {}
    made = kept(photo)
    assert dict(picture(made).getexif()) == {}
    assert "comment" not in picture(made).info
    assert b"Asha's phone" not in made


def test_a_photo_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    assert picture(kept(a_photo((60, 40), exif=exif))).size == (40, 60)


def test_what_hides_behind_a_picture_is_not_kept():
    behind = b"PK\x03\x04<script>alert(1)</script>"
    assert behind not in kept(a_photo() + behind)
    assert behind not in kept(a_photo(kind="PNG") + behind)


def test_a_large_photo_is_made_smaller_and_a_transparent_one_white():
    assert picture(kept(a_photo((4000, 100)))).size == (MAX_SIDE, 64)
    assert picture(kept(a_photo((60_000, 1)))).size == (MAX_SIDE, 1)
    clear = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(clear, "PNG")
    assert picture(kept(clear.getvalue())).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_every_kind_of_colour_is_understood(mode: str):
    written = io.BytesIO()
    Image.new(mode, (8, 8)).save(written, "JPEG" if mode == "CMYK" else "PNG")
    assert picture(kept(written.getvalue())).mode == "RGB"


@pytest.mark.parametrize(
    ("photo", "size"),
    [
        (a_photo(), (12_000, 10_001)),
        (a_photo(progressive=True), (10_000, 4_001)),
        (a_photo(kind="PNG"), (12_000, 12_000)),
        (a_photo(kind="PNG"), (10_000, 4_001)),
        (a_photo(kind="WEBP"), (16_000, 1_001)),
    ],
    ids=["JPEG", "progressive", "PNG of 144 megapixels", "PNG", "WEBP"],
)
def test_a_few_bytes_that_unfold_to_too_many_pixels_are_refused_unread(photo, size):
    bomb = claiming(photo, *size)
    assert picture(bomb).size == size
    assert why_not(bomb) == "too_many_pixels"


def test_a_photo_of_a_good_camera_is_taken():
    made = picture(kept(a_photo((7_000, 6_000))))
    assert made.size == (MAX_SIDE, MAX_SIDE * 6 // 7)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "PDF"])
def test_a_damaged_file_is_refused_or_repaired_and_never_an_error(kind: str):
    """Decoders raise errors of all kinds, not only their own."""
    whole = a_pdf(2) if kind == "PDF" else a_photo((64, 64), kind)
    if kind == "PDF":
        pageless = whole.replace(b"/Count", b"/Other").replace(b"/Kids [ 3 0 R", b"/Kids [ x 0 R")
        assert why_not(pageless) == "broken"
    dice = random.Random(kind)
    for _try in range(60):
        damaged = bytearray(whole)
        for _byte in range(dice.randint(1, 8)):
            damaged[dice.randrange(8, len(damaged))] = dice.randrange(256)
        damaged = damaged[: dice.randint(len(damaged) // 2, len(damaged))]
        with contextlib.suppress(BadFile):
            assert kept(bytes(damaged)) != b""


# --- documents ----------------------------------------------------------------------------------
def a_pdf_with(change) -> bytes:
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(a_pdf())) as pdf:
        change(pdf)
        pdf.save(written)
    return written.getvalue()


def action(kind: str, **more: object) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name(f"/{kind}"), **more)


def opens_with(pdf, what: object) -> None:
    pdf.Root.OpenAction = what


def annotate(pdf, **what: object) -> None:
    annotation = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Rect=[0, 0, 9, 9], **what)
    pdf.pages[0].Annots = pikepdf.Array([pdf.make_indirect(annotation)])


def attach(pdf) -> None:
    pdf.attachments["x.exe"] = pikepdf.AttachedFileSpec(pdf, b"MZ", filename="x.exe")


def pin_a_file_on_the_page(pdf) -> None:
    stream = pdf.make_stream(b"MZ")
    spec = pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F="x.exe", EF={"/F": stream})
    annotate(pdf, Subtype=pikepdf.Name.FileAttachment, FS=spec)


def hidden_in_a_name_tree(pdf) -> None:
    script = pdf.make_indirect(action("JavaScript", JS="app.alert(1)"))
    pdf.Root.Names = {"/JavaScript": {"/Names": ["x", script]}}


def fill_in(pdf) -> None:
    pdf.Root.AcroForm = {"/Fields": [], "/XFA": pdf.make_stream(b"<xdp/>")}


ACTIVE = {
    "script at opening": lambda pdf: opens_with(pdf, action("JavaScript", JS="app.alert(1)")),
    "script that follows": lambda pdf: opens_with(
        pdf, action("GoTo", D="x", Next=action("JavaScript", JS="app.alert(1)"))
    ),
    "script in the names": hidden_in_a_name_tree,
    "address at opening": lambda pdf: opens_with(pdf, action("URI", URI="https://evil.example")),
    "program at opening": lambda pdf: opens_with(pdf, action("Launch", F="cmd.exe")),
    "program behind a link": lambda pdf: annotate(
        pdf, Subtype=pikepdf.Name.Link, A=action("Launch", F="cmd.exe")
    ),
    "form that sends itself": lambda pdf: annotate(
        pdf, Subtype=pikepdf.Name.Link, A=action("SubmitForm", F="https://evil.example")
    ),
    "action when the page opens": lambda pdf: setattr(
        pdf.pages[0], "AA", {"/O": action("Named", N=pikepdf.Name.Print)}
    ),
    "attached file": attach,
    "file pinned on the page": pin_a_file_on_the_page,
    "dynamic form": fill_in,
    "film": lambda pdf: annotate(pdf, Subtype=pikepdf.Name.RichMedia, RichMediaContent={}),
}


@pytest.mark.parametrize("change", ACTIVE.values(), ids=ACTIVE)
def test_a_document_that_does_something_is_refused(change):
    assert why_not(a_pdf_with(change)) == "active"


def test_a_script_is_found_under_another_spelling_and_in_a_packed_document():
    plain = a_pdf_with(lambda pdf: opens_with(pdf, action("JavaScript", JS="app.alert(1)")))
    assert why_not(plain.replace(b"/JavaScript", b"/J#61vaScript")) == "active"
    packed = io.BytesIO()
    with pikepdf.open(io.BytesIO(plain)) as pdf:
        pdf.save(packed, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"JavaScript" not in packed.getvalue()
    assert why_not(packed.getvalue()) == "active"


def test_a_document_that_only_shows_itself_is_taken():
    def ordinary(pdf) -> None:
        opens_with(pdf, pikepdf.Array([pdf.pages[0].obj, pikepdf.Name.Fit]))
        annotate(pdf, Subtype=pikepdf.Name.Link, A=action("URI", URI="https://lab.example"))

    with pikepdf.open(io.BytesIO(kept(a_pdf_with(ordinary)))) as pdf:
        assert len(pdf.pages) == 1
    assert kept(a_pdf_with(lambda pdf: opens_with(pdf, action("GoTo", D="x")))) != b""
    assert kept(b"\n\n" + a_pdf()) != b""


def test_a_locked_document_is_refused():
    asks = pikepdf.Encryption(user="secret", owner="secret")
    assert why_not(a_pdf(encryption=asks)) == "locked"
    restricts = pikepdf.Encryption(user="", owner="secret")
    made = kept(a_pdf(encryption=restricts))
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert pdf.is_encrypted is False


def test_what_hides_behind_a_document_is_not_kept():
    behind = b"<script>alert(1)</script>PK\x03\x04"
    assert behind not in kept(a_pdf() + behind)
    inside = a_pdf().replace(b"%%EOF", b"%<script>alert(1)</script>\n%%EOF")
    assert b"<script>" not in kept(inside)


def test_a_document_with_too_many_pages_is_refused():
    assert kept(a_pdf(MAX_PAGES)) != b""
    assert why_not(a_pdf(MAX_PAGES + 1)) == "too_big"


def a_packed_pdf(padding: int) -> bytes:
    """A whole document in one object stream, with so many bytes of nothing behind it."""
    made = b"1 0 4 40 5 90 " + b"<</Type/Catalog/Pages 4 0 R>>".ljust(40)
    made += b"<</Type/Pages/Kids[5 0 R]/Count 1>>".ljust(50) + b"<</Type/Page/Parent 4 0 R"
    made += b"/MediaBox[0 0 9 9]>>"
    packed = zlib.compress(made + b" " * padding, 1)
    head = b"%PDF-1.5\n"
    stream = b"2 0 obj <</Type/ObjStm/N 3/First 14/Filter/FlateDecode/Length %d>> stream\n"
    stream = stream % len(packed) + packed + b"\nendstream endobj\n"
    rows = [(1, (2, 2, 0)), (2, (1, len(head), 0)), (4, (2, 2, 1)), (5, (2, 2, 2))]
    table = b"".join(struct.pack(">BHB", *row) for _number, row in rows)
    xref = b"3 0 obj <</Type/XRef/Size 6/W[1 2 1]/Index[1 2 4 2]/Root 1 0 R/Length %d>> stream\n"
    xref = xref % len(table) + table + b"\nendstream endobj\n"
    return head + stream + xref + b"startxref\n%d\n%%%%EOF" % (len(head) + len(stream))


def test_a_document_that_unfolds_without_end_is_refused():
    assert kept(a_packed_pdf(1_000)) != b""
    assert why_not(a_packed_pdf(80_000_000)) == "broken"
