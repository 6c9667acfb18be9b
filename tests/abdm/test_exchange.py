"""Link, consent, encrypted transfer, decryption, display: this site as holder and as asker of records,
a gateway in between, everything over HTTP."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from accounts.actions.keys import issue_token
from accounts.models import AuditEvent
from consult.models import AbdmConsent, AbdmMessage, AbdmRecord
from tests.abdm.fake_gateway import FakeGateway
from tests.fhir import records
from tests.running import Gateway, Site, free_port, test_database_url

# Seconds: on a busy machine a message is tried once more, after pauses that grow to a minute and more.
WITHIN = 240
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def joined(django_db_setup: None) -> Iterator[tuple[Site, FakeGateway]]:
    """A site with the gateway's credentials: one server, and a worker and the clock where they are apart."""
    gateway, sms = FakeGateway(), Gateway()
    port = free_port()
    gateway.site = f"http://127.0.0.1:{port}"
    folder = Path(os.environ["VAR_DIR"])
    environment = os.environ | gateway.environment() | {
        "DATABASE_URL": test_database_url(), "SITE_URL": gateway.site, "PYTHONUNBUFFERED": "1",
        "SMS_BACKEND": "accounts.sms.HttpJsonBackend", "SMS_HTTP_URL": sms.url,
        "FILES_DIR": str(folder / "files"), "DATABASE_POOL": "8",
    }  # fmt: skip
    site = Site([], sms, environment)
    try:
        if settings.IN_MEMORY:
            process = site.start("manage.py", "serve", "--port", str(port))
        else:
            site.start_worker()
            site.start("-m", "celery", "-A", "esanjeevani.celery_app", "beat",
                       "-s", str(folder / "abdm-beat"))  # fmt: skip
            process = site.start("-m", "daphne", "-b", "127.0.0.1", "-p", str(port),
                                 "esanjeevani.asgi:application")  # fmt: skip
        site.wait_until_ready(gateway.site, process)
        yield site, gateway
    finally:
        for process in list(site.processes):
            site.stop(process)
        for server in (gateway, sms):
            server.shutdown()
            server.server_close()


@pytest.fixture
def gateway(joined: tuple[Site, FakeGateway], transactional_db: None) -> FakeGateway:
    _site, gateway = joined
    gateway.linked.clear()
    gateway.received.clear()
    gateway.twice = gateway.overtakes = False
    gateway.grants, gateway.away = True, 0
    return gateway


def soon(what: Callable[[], object]) -> object:
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.05)
    rows = AbdmMessage.objects.values_list("direction", "kind", "tries", "error", "done_at")
    raise AssertionError(f"Not within {WITHIN} s: {list(rows)}")


class Play:
    """One patient with a completed consultation here, and a doctor who sees them now."""

    def __init__(self, gateway: FakeGateway) -> None:
        self.gateway = gateway
        self.past = records.full()
        self.patient = self.past.patient
        clinic = records.a_clinic(name="Evening clinic")
        self.rao = records.on_duty(clinic)
        self.now = records.in_the_room(clinic, self.rao, self.patient)

    def ask(self, method: str, path: str, data: object = None, *, doctor: bool = False):
        user = self.rao.user if doctor else self.patient.account
        _token, key = issue_token(user=user, device="test", has_second_factor=doctor)
        return httpx.request(
            method, f"{self.gateway.site}/api/v1/{path}", json=data, timeout=120,
            headers={"Authorization": f"Bearer {key}"},
        )  # fmt: skip

    def link(self) -> None:
        linked = self.ask("POST", f"consultations/{self.past.uid}/abha-link/")
        assert linked.status_code == 204, linked.text
        soon(lambda: self.gateway.linked == [str(self.past.uid)])
        context = self.past.care_context
        soon(lambda: context.refresh_from_db() or context.linked_at)

    def consent(self) -> None:
        asked = self.ask(
            "POST", f"doctor/consultations/{self.now.uid}/abdm/consents/",
            {"since": "2020-01-01"}, doctor=True,
        )  # fmt: skip
        assert asked.status_code == 201, asked.text

    def wait_for_records(self) -> None:
        """Three of them; the tables are asked until they are there, the site once."""
        soon(lambda: AbdmRecord.objects.count() == 3)
        assert len(self.shown()) == 3

    def shown(self) -> list[dict]:
        path = f"doctor/consultations/{self.now.uid}/abdm/records/"
        return self.ask("GET", path, doctor=True).json()


def test_link_consent_encrypted_transfer_and_display(gateway: FakeGateway) -> None:
    play = Play(gateway)
    play.link()
    play.consent()
    play.wait_for_records()
    bundles = {one["bundle"]["id"]: one["bundle"] for one in play.shown()}
    kinds = ("OPConsultRecord", "PrescriptionRecord", "WellnessRecord")
    assert set(bundles) == {f"{kind}-{play.past.uid}" for kind in kinds}
    titles = [
        one["title"]
        for one in bundles[f"OPConsultRecord-{play.past.uid}"]["entry"][0]["resource"]["section"]
    ]
    assert "Diagnosis" in titles
    soon(lambda: gateway.of("/health-information/notify"))
    assert "Acute tonsillitis" not in str(gateway.received)  # the gateway saw none of it
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"abdm.link", "abdm.consent", "abdm.transfer", "abdm.received", "abdm.read"} <= actions


def test_a_gateway_that_is_down_and_delivers_twice_changes_nothing_but_the_time(
    gateway: FakeGateway,
) -> None:
    gateway.twice, gateway.away = True, 2
    play = Play(gateway)
    play.link()
    gateway.away = 1
    play.consent()
    play.wait_for_records()
    assert len(gateway.of("/health-information/hip/on-request")) == 1
    assert AbdmConsent.objects.count() == 2  # one as holder, one as asker
    twice = [status for kind, status in gateway.answers if kind == "consent/request/hip/notify"]
    assert set(twice) == {202}


def test_callbacks_that_overtake_each_other_wait_for_what_they_speak_of(
    gateway: FakeGateway,
) -> None:
    gateway.overtakes = True
    play = Play(gateway)
    play.link()
    play.consent()
    play.wait_for_records()


def test_a_consent_withdrawn_takes_the_records_away_and_gives_no_more(gateway: FakeGateway) -> None:
    play = Play(gateway)
    play.link()
    play.consent()
    play.wait_for_records()
    gateway.revoke()
    soon(lambda: not AbdmRecord.objects.exists())
    assert play.shown() == []
    pushed = AbdmMessage.objects.filter(kind="push").count()
    gateway.forward(
        {
            "consent": {"id": gateway.detail["consentId"]},
            "dateRange": gateway.detail["permission"]["dateRange"],
            "dataPushUrl": f"{gateway.site}/abdm/data",
            "keyMaterial": {},
        },
        {"response": {"requestId": "none"}},
    )
    soon(lambda: AuditEvent.objects.filter(action="abdm.refused").exists())
    assert AbdmMessage.objects.filter(kind="push").count() == pushed


def test_who_says_no_is_not_asked_for_records(gateway: FakeGateway) -> None:
    gateway.grants = False
    play = Play(gateway)
    play.link()
    play.consent()
    soon(lambda: AbdmConsent.objects.filter(state=AbdmConsent.State.DENIED).exists())
    assert gateway.of("/consent/v3/fetch") == []


def test_an_abha_is_verified_by_the_gateway_alone(gateway: FakeGateway) -> None:
    play = Play(gateway)
    type(play.patient).objects.filter(pk=play.patient.pk).update(abha_verified_at=None)
    path = f"patients/{play.patient.uid}/abha/"
    begun = play.ask("POST", f"{path}code/").json()["transaction"]
    wrong = play.ask("POST", path, {"transaction": begun, "code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "not_theirs")
    right = play.ask("POST", path, {"transaction": begun, "code": "123456"}).json()
    assert (right["abha_is_verified"], right["abha_address"]) == (True, "asha@sbx")


def test_a_scan_gets_its_number_and_an_app_links_with_the_code_from_the_sms(
    joined: tuple[Site, FakeGateway], gateway: FakeGateway
) -> None:
    site, _gateway = joined
    place = records.a_centre(name="Sub-centre Aroor", hfr_id="IN3210000099")
    shared = {
        "abhaAddress": "ravi@sbx", "name": "Ravi", "gender": "M", "yearOfBirth": "1980", "address": {},
    }  # fmt: skip
    meta = {"hipId": place.hfr_id, "context": "1"}
    body = {"intent": "PROFILE_SHARE", "metaData": meta, "profile": {"patient": shared}}
    assert gateway.call_back("hip/patient/share", body) == 202
    said = soon(lambda: gateway.of("/patient-share/v3/on-share"))[0]["acknowledgement"]
    assert (said["abhaAddress"], said["profile"]["tokenNumber"]) == ("ravi@sbx", "1")

    past = records.full()
    about = {"id": past.patient.abha_address, "name": "Asha", "gender": "F", "yearOfBirth": 1991}
    gateway.call_back("hip/patient/care-context/discover", {"transactionId": "t", "patient": about})
    found = soon(lambda: gateway.of("/care-context/on-discover"))[0]["patient"]
    gateway.call_back("hip/link/care-context/init", {"transactionId": "t", "patient": found})
    link = soon(lambda: gateway.of("/care-context/on-init"))[0]["link"]
    code = site.gateway.code_for(past.patient.account.phone)
    confirmed = {"confirmation": {"linkRefNumber": link["referenceNumber"], "token": code}}
    gateway.call_back("hip/link/care-context/confirm", confirmed)
    linked = soon(lambda: gateway.of("/care-context/on-confirm"))[0]["patient"]
    assert linked[0]["careContexts"] == found[0]["careContexts"]
