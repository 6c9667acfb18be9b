"""Ed25519 keys by id. A new id is a new key; what an old one signed stays verifiable."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db.models import CharField

from consult.models import Prescription, SigningKey
from consult.signing.canonical import canonical_form, digest_of
from esanjeevani.sql.composed import Composed, Question

KEY = Composed(lambda key_id: SigningKey.objects.filter(key_id=key_id), key_id=CharField())


class KeyMissing(Exception):
    """There is no usable signing key: none with this id, or another one than was used before."""


def key_file(key_id: str) -> Path:
    return Path(settings.SIGNING_KEYS) / f"{key_id}.pem"


def make_key(key_id: str) -> Path:
    """Write a new private key, readable to its owner alone. Raises FileExistsError."""
    file = key_file(key_id)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(pem)
    return file


def known_key() -> Question:
    """What is known of the key that signs now; nothing before its first use."""
    return KEY.asked(key_id=settings.SIGNING_KEY_ID)


def sign_row(canonical: bytes, known: list[SigningKey]) -> dict[str, str]:
    """Digest, signature and key_id for the row. `known` is what known_key() found. Raises KeyMissing."""
    key = _private_key(settings.SIGNING_KEY_ID)
    _remember(settings.SIGNING_KEY_ID, key.public_key(), known)
    return {
        "digest": digest_of(canonical),
        "signature": b64encode(key.sign(canonical)).decode(),
        "key_id": settings.SIGNING_KEY_ID,
    }


def _private_key(key_id: str) -> Ed25519PrivateKey:
    file = key_file(key_id)
    try:
        key = _load(file, file.stat().st_mtime_ns)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyMissing(f"{key_id}: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMissing(f"{key_id} is no Ed25519 key.")
    return key


@lru_cache(maxsize=2)
def _load(file: Path, _changed: int) -> object:
    """Once per file, as the certificate's key is."""
    return load_pem_private_key(file.read_bytes(), password=None)


def _remember(key_id: str, public: Ed25519PublicKey, known: list[SigningKey]) -> None:
    """The public half, at the first use. One id never stands for two keys."""
    raw = b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    row = next(iter(known), None)
    if row is None:
        defaults = {"public_key": raw}
        row, _created = SigningKey.objects.get_or_create(key_id=key_id, defaults=defaults)
    if row.public_key != raw or row.revoked_at is not None:
        raise KeyMissing(f"{key_id} was another key before, or was revoked.")


def is_authentic(prescription: Prescription) -> bool:
    """Whether the row is what was signed at issue, to the last bit."""
    key = SigningKey.objects.filter(key_id=prescription.key_id).first()
    issued_at, document = prescription.issued_at, prescription.document
    if key is None or issued_at is None or document is None:
        return False
    if key.revoked_at is not None and key.revoked_at <= issued_at:
        return False
    canonical = canonical_form(
        number=prescription.number,
        check_id=prescription.check_id,
        issued_at=issued_at,
        document=document,
    )
    try:
        public = Ed25519PublicKey.from_public_bytes(b64decode(key.public_key))
        public.verify(b64decode(prescription.signature), canonical)
    except (InvalidSignature, ValueError, NotBase64):
        return False
    return prescription.digest == digest_of(canonical)
