"""Both signatures: the row's, which the check page verifies, and the PDF's, which anybody's reader does."""

import asyncio
import io
import subprocess
from base64 import b64decode
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from consult import actions
from consult.checking import public_keys
from consult.models import Consultation, Prescription, SigningKey
from consult.pdf import render_pdf
from consult.signing import canonical_form, is_authentic, sign_pdf
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctors_form,
    a_patient,
    as_staff,
    in_the_room,
    on_duty,
    prescribed,
    the_formulary,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def consultation() -> Consultation:
    the_formulary()
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic), a_patient(name="श्री कृष्ण", language="hi"))


@pytest.fixture
def prescription(consultation) -> Prescription:
    issued = prescribed(consultation)
    issued.refresh_from_db()
    return issued


# --- the row ------------------------------------------------------------------------------------
def test_what_was_issued_is_signed_and_anybody_with_the_public_key_can_tell(client, prescription):
    (key,) = client.get("/check/keys.json").json()["keys"]
    assert (key["key_id"], key["algorithm"]) == (prescription.key_id, "Ed25519")
    canonical = canonical_form(
        number=prescription.number,
        check_id=prescription.check_id,
        issued_at=prescription.issued_at,
        document=prescription.document,
    )
    public = Ed25519PublicKey.from_public_bytes(b64decode(key["public_key"]))
    public.verify(b64decode(prescription.signature), canonical)
    assert is_authentic(prescription)


@pytest.mark.parametrize(
    "changed", ["medicine", "days", "number", "date", "check_id", "signature", "digest"]
)
def test_one_changed_word_and_the_check_page_says_do_not_rely_on_it(client, prescription, changed):
    document = prescription.document
    if changed == "medicine":
        document["lines"][0]["generic"] += "x"
    elif changed == "days":
        document["lines"][0]["days"] += 1
    elif changed == "date":
        prescription.issued_at = prescription.issued_at.replace(year=2031)
    elif changed == "check_id":
        prescription.check_id = "A" * 22
    else:
        first, rest = getattr(prescription, changed)[0], getattr(prescription, changed)[1:]
        setattr(prescription, changed, ("2" if first == "1" else "1") + rest)
        if changed == "signature":
            prescription.signature = prescription.signature.swapcase()
    prescription.save()
    page = client.get(f"/check/{prescription.check_code}/").content.decode()
    assert "Altered" in page
    assert "Do not rely on the paper" in page
    assert "Valid" not in page


def test_the_same_row_has_one_canonical_form_whatever_the_order_of_its_keys(prescription):
    def form(document) -> bytes:
        return canonical_form(
            number="RX-1", check_id="x", issued_at=prescription.issued_at, document=document
        )

    turned = dict(reversed(list(prescription.document.items())))
    assert form(turned) == form(prescription.document)
    assert form({"name": "e\u0301"}) == form({"name": "\u00e9"})
    assert form({"name": "e"}) != form({"name": "\u00e9"})


# --- keys ---------------------------------------------------------------------------------------
def test_without_a_key_nothing_is_issued_and_the_draft_is_kept(consultation, settings):
    settings.SIGNING_KEY_ID = "lost"
    client = as_staff(consultation.doctor.user)
    save = reverse("consult:save", args=[consultation.uid])
    page = client.post(save, a_doctors_form(PARACETAMOL, issue="1"))
    assert page.status_code == 409
    assert "Prescriptions cannot be signed now, so none is issued." in page.content.decode()
    assert [line.generic for line in actions.draft_lines(consultation)] == ["Paracetamol"]
    assert consultation.prescriptions.get().state == "draft"


@pytest.mark.parametrize("broken", ["no file", "no certificate", "wrong password"])
def test_without_a_certificate_nothing_is_issued_either(consultation, settings, tmp_path, broken):
    certificate = tmp_path / "other.p12"
    if broken == "no certificate":
        certificate.write_bytes(b"this is none")
    if broken == "wrong password":
        certificate.write_bytes(Path(settings.PDF_CERTIFICATE).read_bytes())
        settings.PDF_CERTIFICATE_PASSWORD = "not this one"
    settings.PDF_CERTIFICATE = certificate
    with pytest.raises(actions.IssueRefused) as refused:
        prescribed(consultation)
    assert refused.value.reason == "no_key"


def test_a_new_key_signs_from_now_on_and_the_old_signatures_stay_valid(
    prescription, settings, tmp_path, capsys
):
    settings.SIGNING_KEYS = tmp_path
    settings.SIGNING_KEY_ID = "key-2"
    call_command("signing_keys")
    assert (tmp_path / "key-2.pem").stat().st_mode & 0o777 == 0o600
    assert "key-2.pem" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("signing_keys")
    actions.revise_prescription(
        consultation=prescription.consultation, by=prescription.issued_by.user
    )
    second = actions.issue_prescription(
        consultation=prescription.consultation, doctor=prescription.issued_by
    )
    second.refresh_from_db()
    assert (prescription.key_id, second.key_id) == ("demonstration", "key-2")
    assert is_authentic(prescription)
    assert is_authentic(second)
    assert [key["key_id"] for key in public_keys()] == ["demonstration", "key-2"]


def test_one_key_id_never_stands_for_two_keys_and_a_revoked_key_signs_no_more(
    prescription, settings, tmp_path
):
    settings.SIGNING_KEYS = tmp_path
    call_command("signing_keys")
    actions.revise_prescription(
        consultation=prescription.consultation, by=prescription.issued_by.user
    )
    with pytest.raises(actions.IssueRefused) as refused:
        actions.issue_prescription(
            consultation=prescription.consultation, doctor=prescription.issued_by
        )
    assert refused.value.reason == "no_key"
    SigningKey.objects.update(revoked_at=prescription.issued_at)
    assert not is_authentic(prescription)


# --- the PDF ------------------------------------------------------------------------------------
def pdfsig(pdf: bytes, tmp_path: Path) -> str:
    file = tmp_path / "signed.pdf"
    file.write_bytes(pdf)
    return subprocess.run(
        ["pdfsig", "-nocert", file], capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.program("pdfsig")
def test_the_pdfs_signature_is_valid_on_both_papers_and_says_that_it_is_a_demonstration(
    prescription, tmp_path
):
    actions.render_prescription(prescription.pk)
    actions.render_small(prescription.pk)
    prescription.refresh_from_db()
    for stored in (prescription.pdf, prescription.pdf_a5):
        with stored.open() as opened:
            said = pdfsig(opened.read(), tmp_path)
        assert "Signature is Valid." in said
        assert "Total document signed" in said
        assert "ETSI.CAdES.detached" in said
        assert "DEMONSTRATION - not a legal signature" in said


@pytest.mark.program("pdfsig")
def test_one_flipped_bit_and_it_is_not(prescription, tmp_path):
    actions.render_prescription(prescription.pk)
    prescription.refresh_from_db()
    with prescription.pdf.open() as opened:
        signed = opened.read()
    before_signature = signed.index(b"/ByteRange") // 2
    for place in range(200, before_signature, before_signature // 7):
        flipped = bytearray(signed)
        flipped[place] ^= 1
        assert "Signature is Valid." not in pdfsig(bytes(flipped), tmp_path)


def a_certificate(path: Path, key) -> Path:
    """As a certifying authority gives one, with its own certificate beside it."""
    now, authority_key = timezone.now(), ec.generate_private_key(ec.SECP256R1())

    def issue(words, public, serial) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, words)])
        root = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An authority")])
        usage = x509.KeyUsage(
            True, True, False, False, False, words == "An authority", False, False, False
        )
        return (
            x509.CertificateBuilder(root, name, public, serial)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(words == "An authority", None), critical=True)
            .add_extension(usage, critical=True)
            .sign(authority_key, hashes.SHA256())
        )

    root = issue("An authority", authority_key.public_key(), 1)
    own = issue("A hospital", key.public_key(), 2)
    packed = pkcs12.serialize_key_and_certificates(b"own", key, own, [root], NoEncryption())
    path.write_bytes(packed)
    return path


A_KEY_OF_EACH_KIND = {
    "RSA": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "a longer RSA": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
    "an elliptic curve": lambda: ec.generate_private_key(ec.SECP384R1()),
}


@pytest.mark.parametrize("kind", A_KEY_OF_EACH_KIND)
def test_each_pdf_is_signed_as_pades_asks_with_any_kind_of_key(
    prescription, settings, tmp_path, kind
):
    """What is composed once for all signatures is nobody else's: each fits its own document."""
    settings.PDF_CERTIFICATE = a_certificate(tmp_path / "own.p12", A_KEY_OF_EACH_KIND[kind]())
    stock = SimpleSigner.load_pkcs12(str(settings.PDF_CERTIFICATE))
    (root,) = stock.cert_registry
    drawn = render_pdf(prescription)
    for reason in ("the first", "the second"):
        signed = sign_pdf(drawn, name="Dr Rao", reason=reason)
        (signature,) = PdfFileReader(io.BytesIO(signed)).embedded_signatures
        status = validate_pdf_signature(signature, ValidationContext(trust_roots=[root]))
        assert status.bottom_line
        assert status.coverage.name == "ENTIRE_FILE"
        assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
        assert signature.sig_object["/Reason"] == reason
        attributes = [one["type"].native for one in signature.signer_info["signed_attrs"]]
        assert "signing_certificate_v2" in attributes
        if kind != "an elliptic curve":  # of which no two signatures are the same
            by_the_library = asyncio.run(
                stock.async_sign(signature.compute_digest(), "sha256", use_pades=True)
            )
            assert signature.pkcs7_content.rstrip(b"\0") == by_the_library.dump().rstrip(b"\0")
