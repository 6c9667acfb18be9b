"""Linking begun in the patient's own app: found, a code by SMS, linked; and everything that goes wrong."""

import uuid
from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Message, SmsTemplate
from accounts.seeding import seed
from consult.models import AbdmMessage, LinkRequest
from tests.factories import a_patient
from tests.fhir import records

pytestmark = pytest.mark.django_db
DISCOVER, INIT, CONFIRM = (
    "hip/patient/care-context/discover",
    "hip/link/care-context/init",
    "hip/link/care-context/confirm",
)


@pytest.fixture(autouse=True)
def _texts():
    if not SmsTemplate.objects.exists():
        seed()


@pytest.fixture
def past():
    """Asha's completed consultation; her ABHA is not known here."""
    patient = a_patient(name="Asha Menon", sex="female", birth_date=date(1991, 4, 2))
    return records.finished(records.a_room(patient))


class App:
    """The patient's app, as the gateway passes on what is done in it."""

    def __init__(self, calls, past) -> None:
        self.calls, self.past, self.patient = calls, past, past.patient
        self.transaction = str(uuid.uuid4())

    def discover(self, **said) -> dict:
        about = {
            "id": "Asha@sbx", "name": "Asha M", "gender": "F", "yearOfBirth": 1991,
            "verifiedIdentifiers": [{"type": "MOBILE", "value": self.patient.account.phone}],
            "unverifiedIdentifiers": [], **said,
        }  # fmt: skip
        body = {"transactionId": self.transaction, "patient": about}
        return self.calls.worked(DISCOVER, body, "on-discover")

    def choose(self, reference: str = "", contexts: list[str] | None = None, **said) -> dict:
        contexts = [str(self.past.uid)] if contexts is None else contexts
        chosen = {
            "referenceNumber": reference or self.patient.number,
            "careContexts": [{"referenceNumber": one} for one in contexts],
            "hiType": "OPConsultation", "count": 1,
        }  # fmt: skip
        body = {
            "transactionId": self.transaction,
            "abhaAddress": "asha@sbx",
            "patient": [chosen],
            **said,
        }
        return self.calls.worked(INIT, body, "on-init")

    def code(self) -> str:
        text = Message.objects.filter(template__key="link_code").latest("pk").text
        return next(word for word in text.split() if word.strip(".।").isdigit()).strip(".।")

    def confirm(self, code: object, reference: str = "") -> dict:
        link = reference or str(LinkRequest.objects.get(transaction_id=self.transaction).uid)
        body = {"confirmation": {"token": code, "linkRefNumber": link}}
        return self.calls.worked(CONFIRM, body, "on-confirm")

    def is_linked(self) -> bool:
        return hasattr(type(self.past).objects.get(pk=self.past.pk), "care_context")


@pytest.fixture
def app(calls, past) -> App:
    return App(calls, past)


def refusals() -> int:
    return AuditEvent.objects.filter(action="abdm.link_refused", refused=True).count()


def test_found_chosen_and_confirmed_by_the_code_from_the_sms(app):
    found = app.discover()
    assert found["matchedBy"] == ["MOBILE"]
    (listed,) = found["patient"]
    assert listed["referenceNumber"] == app.patient.number
    assert [one["referenceNumber"] for one in listed["careContexts"]] == [str(app.past.uid)]
    chosen = app.choose()
    assert chosen["link"]["meta"]["communicationHint"].endswith(app.patient.account.phone[-4:])
    assert app.code() not in str(AbdmMessage.objects.values_list("body", flat=True))
    linked = app.confirm(app.code())
    assert linked["patient"][0]["careContexts"] == listed["careContexts"]
    app.past.care_context.refresh_from_db()
    assert app.past.care_context.linked_at
    app.patient.refresh_from_db()
    assert (app.patient.abha_address, app.patient.abha_is_verified) == ("asha@sbx", True)
    app.transaction = "the next search"
    assert app.discover()["error"]["code"] == "ABDM-1012"  # nothing is left to link


@pytest.mark.parametrize(
    "said",
    [
        {"gender": "M"},
        {"yearOfBirth": 1992},
        {"name": "Ammu Menon"},
        {"name": ""},
        {"verifiedIdentifiers": [{"type": "MOBILE", "value": "9000000000"}]},
        {
            "verifiedIdentifiers": [],
            "unverifiedIdentifiers": [{"type": "MOBILE", "value": "{phone}"}],
        },
        {"verifiedIdentifiers": "MOBILE"},
    ],
)
def test_nobody_is_found_by_less_than_all_that_the_gateway_has_verified(app, said):
    if said.get("unverifiedIdentifiers"):
        said["unverifiedIdentifiers"][0]["value"] = app.patient.account.phone
    assert app.discover(**said)["error"]["code"] == "ABDM-1012"
    assert not LinkRequest.objects.exists()


def test_of_two_who_fit_neither_is_shown(app):
    a_patient(app.patient.account, name="Asha Nair", sex="female", birth_date=date(1991, 1, 1))
    assert "error" in app.discover()


def test_whose_abha_is_verified_is_found_by_it_and_no_longer_by_the_number(app):
    app.patient.abha_address, app.patient.abha_verified_at = "other@sbx", timezone.now()
    app.patient.save()
    assert "error" in app.discover()
    assert app.discover(id="OTHER@sbx", verifiedIdentifiers=[])["matchedBy"] == ["ABHA_ADDRESS"]


def test_a_wrong_code_five_times_ends_it_and_the_right_one_comes_too_late(app):
    app.discover()
    app.choose()
    right = app.code()
    wrong = "000000" if right != "000000" else "000001"
    for _try in range(5):
        assert app.confirm(wrong)["error"]["code"] == "ABDM-1036"
    assert "error" in app.confirm(right)
    assert not app.is_linked()
    assert refusals() == 6


def test_a_code_runs_out(app):
    app.discover()
    app.choose()
    LinkRequest.objects.update(sent_at=timezone.now() - timedelta(minutes=10))
    assert "error" in app.confirm(app.code())
    assert not app.is_linked()


def test_a_code_works_once_and_leading_zeros_may_be_lost(app):
    app.discover()
    app.choose()
    asked = LinkRequest.objects.get()
    LinkRequest.objects.update(code_hash=asked.hash_of("000042"))
    assert "patient" in app.confirm(42)
    assert "error" in app.confirm("000042")


def test_a_new_code_replaces_the_old_one_and_there_are_five_an_hour(app):
    app.discover()
    app.choose()
    old = app.code()
    for _again in range(4):
        assert "link" in app.choose()
    if app.code() != old:
        assert "error" in app.confirm(old)
    assert app.choose()["error"]["code"] == "ABDM-1022"
    assert "patient" in app.confirm(app.code())


def test_another_persons_records_are_never_linked(app):
    other = records.minimal()
    app.discover()
    assert app.choose(reference=other.patient.number)["error"]["code"] == "ABDM-1060"
    assert app.choose(contexts=[str(other.uid)])["error"]["code"] == "ABDM-1057"
    assert app.choose(contexts=[])["error"]["code"] == "ABDM-1057"
    assert app.choose(abhaAddress="somebody@sbx")["error"]["code"] == "ABDM-1170"
    app.transaction = "never searched"
    assert app.choose()["error"]["code"] == "ABDM-1012"
    assert app.confirm("123456", reference=str(uuid.uuid4()))["error"]["code"] == "ABDM-1056"
    assert not Message.objects.filter(template__key="link_code").exists()
    assert refusals() == 6


def test_without_a_choice_no_code_is_right(app):
    app.discover()
    assert "error" in app.confirm("000000")
    assert not app.is_linked()
