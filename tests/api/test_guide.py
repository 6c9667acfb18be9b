"""What docs/api.md shows works as it stands there."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.conf import settings

from consult.models import Consultation
from tests.factories import a_clinic, a_patient, called, on_duty
from tests.fhir import records
from tests.fhir.asking import a_machine, ask
from tests.running import SOON, Site

PHONE = "+919876507141"


def shown(language: str) -> str:
    """The one block of this language."""
    text = (settings.BASE_DIR / "docs/api.md").read_text()
    (block,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(block)


def soon(what: Callable[[], object], visit: "subprocess.Popen[str]") -> object:
    until, is_over = time.monotonic() + SOON, False
    while not is_over:  # and once more when it has ended, for what it did last
        is_over = visit.poll() is not None or time.monotonic() > until
        if found := what():
            return found
        time.sleep(0.1)
    visit.kill()
    raise AssertionError(visit.communicate())


def test_the_visit_runs_as_it_is_printed(site: Site):
    clinic = a_clinic()
    doctor = on_duty(clinic)
    program = shown("python").replace("http://127.0.0.1:8000", site.url)
    visit = subprocess.Popen(
        [sys.executable, "-c", program], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert visit.stdin
    visit.stdin.write(f"{PHONE}\n")
    visit.stdin.flush()
    visit.stdin.write(f"{site.gateway.code_for(PHONE)}\n")
    visit.stdin.flush()
    soon(Consultation.objects.filter(state="requested").exists, visit)
    consultation = called(clinic, doctor)
    soon(consultation.messages.exists, visit)
    _said, wrong = visit.communicate(timeout=SOON)
    assert (visit.returncode, wrong) == (0, "")
    consultation.refresh_from_db()
    assert (consultation.state, consultation.patient.name) == ("in_progress", "Asha Menon")


@pytest.mark.django_db
def test_a_devices_observation_is_taken_as_it_is_printed():
    facility = records.a_centre()
    meena, hub = records.a_health_worker(facility), records.a_hub(facility)
    on_duty(hub)
    waits = records.sent(facility, meena, hub, a_patient())
    _client, key = a_machine(facility, meena, may_send_vitals=True)
    sent = json.loads(shown("json"))
    sent["subject"]["reference"] = f"Patient/{waits.patient.uid}"
    answer = ask(key, "Observation", sent)
    assert (answer.status_code, answer.json()["valueQuantity"]["value"]) == (201, 88)
