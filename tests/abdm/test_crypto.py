"""The encryption from holder to asker, against figures that others have published."""

import abdm_ecdh
import pytest

from consult.abdm import crypto

# Made by Fidelius, the reference in Java: github.com/mgrmtech/fidelius-cli, README.md (the same figures are
# in the tests of github.com/dimagi/pyfidelius).
TEXT = "Wormtail should never have been Potter cottage's secret keeper."
SEALED = (
    "pzMvVZNNVtJzqPkkxcCbBUWgDEBy/mBXIeT2dJWI16ZAQnnXUb9lI+S4k8XK6mgZSKKSRIHkcNvJpllnBg548wUgavBa0vCR"
    "RwdL6kY6Yw=="
)
HOLDER = {
    "private": "AYhVZpbVeX4KS5Qm/W0+9Ye2q3rnVVGmqRICmseWni4=",
    "public": "BABVt+mpRLMXiQpIfEq6bj8hlXsdtXIxLsspmMgLNI1SR5mHgDVbjHO2A+U4QlMddGzqyEidzm1AkhtSxSO2Ahg=",
    "nonce": "lmXgblZwotx+DfBgKJF0lZXtAXgBEYr5khh79Zytr2Y=",
}
ASKER = {
    "private": "DMxHPri8d7IT23KgLk281zZenMfVHSdeamq0RhwlIBk=",
    "public": "BAheD5rUqTy4V5xR4/6HWmYpopu5CO+KO8BECS0udNqUTSNo91TIqIIy1A4Vh+F94c+n9vAcwXU2bGcfsI5f69Y=",
    "nonce": "6uj1RdDUbcpI3lVMZvijkMC8Te20O4Bcyz0SyivX8Eg=",
}
ASKER_X509 = (
    "MIIBMTCB6gYHKoZIzj0CATCB3gIBATArBgcqhkjOPQEBAiB/////////////////////////////////////////7TBEBCAq"
    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqYSRShRAQge0Je0Je0Je0Je0Je0Je0Je0Je0Je0Je0JgtenHcQyGQEQQQqqqqq"
    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq0kWiCuGaG4oIa04B7dLHdI0UySPU1+bXxhsinpxaJ+ztPZAiAQAAAAAAAAAAAA"
    "AAAAAAAAFN753qL3nNZYEmMaXPXT7QIBCANCAAQIXg+a1Kk8uFecUeP+h1pmKaKbuQjvijvARAktLnTalE0jaPdUyKiCMtQO"
    "FYfhfeHPp/bwHMF1NmxnH7COX+vW"
)


def theirs(keys: dict[str, str]) -> dict:
    return crypto.key_material(keys, "2030-01-01T00:00:00Z")


@pytest.mark.parametrize("public", [ASKER["public"], ASKER_X509], ids=["point", "x509"])
def test_it_seals_to_the_byte_as_the_reference_does(public):
    assert crypto.encrypt(TEXT, ours=HOLDER, theirs=theirs(ASKER | {"public": public})) == SEALED


def test_it_opens_what_the_reference_sealed():
    assert crypto.decrypt(SEALED, ours=ASKER, theirs=theirs(HOLDER)) == TEXT


def test_its_own_public_keys_have_the_form_that_the_reference_gives_out():
    """X.509 with the curve written out: every byte before the point is the same."""
    assert crypto.new_keys()["public"][:316] == ASKER_X509[:316]


OTHER = crypto.new_keys()


@pytest.mark.parametrize(
    ("ours", "holder"),
    [
        (ASKER | {"nonce": OTHER["nonce"]}, theirs(HOLDER)),
        (ASKER | {"private": OTHER["private"]}, theirs(HOLDER)),
        (ASKER, theirs(HOLDER | {"nonce": OTHER["nonce"]})),
        (ASKER, theirs(HOLDER | {"public": OTHER["public"]})),
        (ASKER, {}),
        (ASKER, {**theirs(HOLDER), "dhPublicKey": {"keyValue": "AAAA"}}),
    ],
    ids=["our nonce", "our key", "their nonce", "their key", "no key", "broken key"],
)
def test_a_record_sealed_for_another_nonce_or_key_is_refused(ours, holder):
    assert crypto.decrypt(SEALED, ours=ASKER, theirs=theirs(HOLDER)) == TEXT
    with pytest.raises(crypto.NotReadable):
        crypto.decrypt(SEALED, ours=ours, theirs=holder)


def test_what_was_sealed_with_new_keys_is_opened_by_the_other_side():
    holder, asker = crypto.new_keys(), crypto.new_keys()
    sealed = crypto.encrypt("नमस्ते", ours=holder, theirs=theirs(asker))
    assert crypto.decrypt(sealed, ours=asker, theirs=theirs(holder)) == "नमस्ते"


def test_the_curve_is_the_one_of_the_published_parameters():
    """Curve25519 as y² = x³ + ax + b: the base point has the group's order, and x = 9 + A/3."""
    curve = abdm_ecdh.keygen.scalar_base_mult
    p = 2**255 - 19
    gx, gy = curve(1)
    assert gx == (9 + 486662 * pow(3, -1, p)) % p
    a = (3 - 486662**2) * pow(3, -1, p) % p
    b = (2 * 486662**3 - 9 * 486662) * pow(27, -1, p) % p
    assert (gy * gy - (gx**3 + a * gx + b)) % p == 0
    order = 2**252 + 27742317777372353535851937790883648493
    assert curve(order - 1) == (gx, p - gy)
