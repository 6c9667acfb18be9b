"""Both signatures: the row's, which the check page verifies, and the PDF's, which anybody's reader does."""

import shutil
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import CommandError, call_command
from django.urls import reverse

from consult import actions
from consult.checking import public_keys
from consult.models import Consultation, Prescription, SigningKey
from consult.signing import canonical_form, is_authentic
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
needs_pdfsig = pytest.mark.skipif(not shutil.which("pdfsig"), reason="left out: needs pdfsig")


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
        setattr(prescription, changed, "1" + getattr(prescription, changed)[1:])
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


@needs_pdfsig
def test_the_pdfs_signature_is_valid_on_both_papers_and_says_that_it_is_a_demonstration(
    prescription, tmp_path
):
    actions.render_prescription(prescription.pk)
    prescription.refresh_from_db()
    for stored in (prescription.pdf, prescription.pdf_a5):
        said = pdfsig(stored.read(), tmp_path)
        assert "Signature is Valid." in said
        assert "Total document signed" in said
        assert "ETSI.CAdES.detached" in said
        assert "DEMONSTRATION - not a legal signature" in said


@needs_pdfsig
def test_one_flipped_bit_and_it_is_not(prescription, tmp_path):
    actions.render_prescription(prescription.pk)
    prescription.refresh_from_db()
    signed = prescription.pdf.read()
    before_signature = signed.index(b"/ByteRange") // 2
    for place in range(200, before_signature, before_signature // 7):
        flipped = bytearray(signed)
        flipped[place] ^= 1
        assert "Signature is Valid." not in pdfsig(bytes(flipped), tmp_path)
