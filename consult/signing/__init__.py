"""What makes an issued prescription one that others can trust.

Two signatures: Ed25519 over the row's canonical form, which the check page verifies, and PAdES
inside the PDF, which any PDF reader verifies. Private keys are files of the deployment, never rows.
"""

from consult.signing.canonical import canonical_form, digest_of
from consult.signing.certificate import CertificateMissing, is_self_made, sign_pdf
from consult.signing.keys import KeyMissing, is_authentic, known_key, sign_row

__all__ = [
    "CertificateMissing",
    "KeyMissing",
    "canonical_form",
    "digest_of",
    "is_authentic",
    "is_self_made",
    "known_key",
    "sign_pdf",
    "sign_row",
]
