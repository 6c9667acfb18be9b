"""Signs PDFs as the library's own signer does, to the byte, without composing each signature anew."""

import asyncio
import secrets
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.sign import signers


@dataclass(frozen=True)
class _Composed:
    """A signature with places for what differs from one document to the next."""

    kind: Any  # the library's class of the whole
    attributes: bytes  # what is signed, in DER
    whole: bytes  # what goes into the PDF, in DER
    digest: bytes  # stands where the document's digest goes, in both
    signature: bytes  # stands where the signature goes, in the whole


class KeptKey(signers.SimpleSigner):
    """Opens its key once and composes once what all its signatures have in common.

    The stock signer opens an RSA key for each signature (28 ms of checks) and composes the certificates
    and attributes in Python (20 ms). Of these only the document's digest and the signature over it
    ever change, and both have one length. An elliptic curve's signature has not: it is composed anew.
    """

    def __init__(
        self,
        stock: signers.SimpleSigner,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    ) -> None:
        super().__init__(
            signing_cert=stock.signing_cert,
            signing_key=stock.signing_key,
            cert_registry=stock.cert_registry,
        )
        self.key = key
        self._composed: dict[str, _Composed] = {}  # by everything that the attributes follow from

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> Any:
        hashing = getattr(hashes, digest_algorithm.upper())()
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashing)
        return self.key.sign(data, ec.ECDSA(hashing))

    # All other arguments pass through.
    async def async_sign(  # type: ignore[override]
        self, data_digest: bytes, digest_algorithm: str, **how: Any
    ) -> Any:
        """The library's own async_sign(); `how` is the same for all that sign_pdf() signs."""
        if not isinstance(self.key, rsa.RSAPrivateKey):
            return _looped(super().async_sign(data_digest, digest_algorithm, **how))
        composed = self._composed.get(digest_algorithm)
        if composed is None:
            composed = self._compose(len(data_digest), digest_algorithm, **how)
            self._composed[digest_algorithm] = composed
        attributes = composed.attributes.replace(composed.digest, data_digest)
        signature = await self.async_sign_raw(attributes, digest_algorithm)
        whole = composed.whole.replace(composed.digest, data_digest)
        return composed.kind.load(whole.replace(composed.signature, signature))

    def _compose(self, size: int, digest_algorithm: str, **how: Any) -> _Composed:
        """By the library, of a digest and with a signature that are nobody's."""
        digest = secrets.token_bytes(size)
        whole = _looped(super().async_sign(digest, digest_algorithm, **how))
        (said,) = whole["content"]["signer_infos"]
        return _Composed(
            kind=type(whole),
            attributes=said["signed_attrs"].untag().dump(),
            whole=whole.dump(),
            digest=digest,
            signature=said["signature"].native,
        )


def _looped(composing: Coroutine[Any, Any, Any]) -> Any:
    """Its result. The library composes in an event loop; a thread that has one cannot run another."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, composing).result()
