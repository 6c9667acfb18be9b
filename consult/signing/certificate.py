"""The certificate that signs PDFs, as PKCS#12; in a demonstration one that we make and that says so."""

import io
from collections.abc import Coroutine
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    NoEncryption,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils import timezone
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter

from consult.signing.signer import KeptKey

FIELD = "Signature"
RESERVED = (
    16_384  # bytes for the signature: a chain of certificates fits, and nothing is signed twice
)
DEMONSTRATION = "DEMONSTRATION - not a legal signature"


class CertificateMissing(Exception):
    """There is no certificate to sign PDFs with, or its password is wrong."""


def sign_pdf(pdf: bytes, *, name: str, reason: str) -> bytes:
    """The same PDF with an invisible PAdES signature over all of it. Raises CertificateMissing."""
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        name=name,
        reason=reason,
    )
    signing = signers.async_sign_pdf(
        _Addition(io.BytesIO(pdf)), metadata, _signer(), bytes_reserved=RESERVED
    )
    return bytes(_result(signing).getbuffer())


class _Addition(IncrementalPdfFileWriter):
    """Adds the signature and nothing else: the page's own metadata stay as they were drawn."""

    def _update_meta(self) -> None:
        pass


def _result(work: Coroutine[Any, Any, Any]) -> Any:
    """Of a coroutine that never waits, as our signer has the key: an event loop costs as much as signing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("Signing waits for somebody else.")


def is_self_made() -> bool:
    """Whether nobody but ourselves vouches for the certificate. Raises CertificateMissing."""
    certificate = _signer().signing_cert
    return certificate is not None and certificate.self_signed in ("yes", "maybe")


def _signer() -> KeptKey:
    file = Path(settings.PDF_CERTIFICATE)
    try:
        changed = file.stat().st_mtime_ns
    except OSError as error:
        raise CertificateMissing(str(error)) from None
    return _load(file, changed, settings.PDF_CERTIFICATE_PASSWORD)


@lru_cache(maxsize=2)
def _load(file: Path, _changed: int, password: str) -> KeptKey:
    """Once per file: opening it costs more than signing."""
    phrase = password.encode() or None
    load: Any = signers.SimpleSigner.load_pkcs12  # it has no types
    stock = load(str(file), passphrase=phrase)
    if stock is None:
        raise CertificateMissing(f"{file} cannot be opened with this password.")
    key, _certificate, _chain = pkcs12.load_key_and_certificates(file.read_bytes(), phrase)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise CertificateMissing(f"{file} holds neither an RSA key nor one of an elliptic curve.")
    return KeptKey(stock, key)


def make_certificate() -> Path:
    """A certificate of our own, for demonstrations and tests; it says what it is. Raises FileExistsError."""
    file = Path(settings.PDF_CERTIFICATE)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names = [(NameOID.COMMON_NAME, DEMONSTRATION), (NameOID.ORGANIZATION_NAME, settings.SITE_OWNER)]
    subject = x509.Name([x509.NameAttribute(oid, words[:64]) for oid, words in names])
    now = timezone.now()
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    password = settings.PDF_CERTIFICATE_PASSWORD.encode()
    packed = pkcs12.serialize_key_and_certificates(
        b"demonstration", key, certificate, None,
        BestAvailableEncryption(password) if password else NoEncryption(),
    )  # fmt: skip
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(packed)
    return file
