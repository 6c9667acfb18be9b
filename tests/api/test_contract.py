"""The API against its own OpenAPI document: whatever is asked, no 5xx and no undocumented status.

schemathesis makes requests of what the document allows and of what it does not, as nobody, as a
patient, a health worker and a doctor, against the running site. CONTRACT_EXAMPLES says how many
random requests each operation gets besides the systematic ones.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.actions.keys import issue_token
from tests.factories import a_clinic, a_patient, in_the_room, on_duty, prescribed
from tests.fhir import records
from tests.running import Site, free_port

EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "3")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,unsupported_method"
)


def keys() -> dict[str, str]:
    """Of people who have consultations with each other."""
    clinic = a_clinic()
    rao = on_duty(clinic)
    asha = prescribed(in_the_room(clinic, rao)).consultation.patient.account
    facility = records.a_centre()
    meena, hub = records.a_health_worker(facility), records.a_hub(facility)
    on_duty(hub)
    records.sent(facility, meena, hub, a_patient())
    return {
        "patient": issue_token(user=asha, device="phone")[1],
        "doctor": issue_token(user=rao.user, device="desk", has_second_factor=True)[1],
        "health worker": issue_token(user=meena, device="desk", has_second_factor=True)[1],
    }


@pytest.mark.timeout(900)
def test_no_server_error_and_no_undocumented_status(site: Site, tmp_path: Path) -> None:
    port = free_port()
    process = site.start(
        "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "esanjeevani.wsgi:application",
        SITE_URL=f"http://127.0.0.1:{port}", API_PER_PERSON="1000000", API_PER_ADDRESS="1000000",
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    site.wait_until_ready(url, process)
    try:
        for who, key in {"nobody": "", **keys()}.items():
            asked = run(url, key, tmp_path)
            assert asked.returncode == 0, f"as {who}:\n{asked.stdout[-6000:]}{asked.stderr[-2000:]}"
    finally:
        site.urls.remove(url)
        site.stop(process)


def run(url: str, key: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    signed_in = ["-H", f"Authorization: Bearer {key}"] if key else []
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/v1/schema/?format=json",
            *signed_in, "--checks", CHECKS, "--max-examples", EXAMPLES, "--phases",
            "examples,coverage,fuzzing", "--seed", "1", "--no-color", "--request-timeout", "30",
            # Signing out would end the key that asks.
            "--exclude-path-regex", "sign-out|devices/",
        ],
        capture_output=True, text=True, check=False, cwd=folder,
        env=os.environ | {"PYTHONWARNINGS": ""},
    )  # fmt: skip
