"""The API against its own OpenAPI document: whatever is asked, no 5xx and no undocumented status.

schemathesis makes requests of what the document allows and of what it does not, against the running
site: each operation systematically and by chance, by whom it is for. It asks the same each time: a
find by chance would refuse a delivery that has nothing to do with it. The long form, with
CONTRACT_EXAMPLES set to how many requests by chance each operation gets, draws others each time and
lets everybody ask for everything; without a key everything is asked in tests/accounts/test_gates.py too.
"""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from accounts.actions.keys import issue_token
from consult.models import Prescription
from tests.factories import a_clinic, a_patient, in_the_room, on_duty, prescribed
from tests.fhir import records
from tests.running import SOON, Site, free_port

EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "")
BY_CHANCE = ["--max-examples", EXAMPLES] if EXAMPLES else ["--max-examples", "1", "--seed", "1"]
# For whom each part of the API is; together all of it.
PARTS = {
    "nobody": ["sign-in", "grievances", "prescriptions"],
    "patient": [
        "abdm", "clinics", "consultations", "devices", "me", "notice", "patients", "states",
    ],
    "doctor": ["doctor", "drugs", "duty", "icd10", "medicine-sets", "opinions"],
    "health worker": ["cases", "centre", "follow-ups"],
}  # fmt: skip
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,unsupported_method"
)


def people() -> dict[str, tuple[str, dict[str, UUID]]]:
    """The key of each, and what they may ask for: their consultations with each other."""
    clinic = a_clinic()
    rao = on_duty(clinic)
    talk = prescribed(in_the_room(clinic, rao)).consultation
    Prescription.objects.update(pdf="")  # it is in this process's files, not in the site's
    facility = records.a_centre()
    meena, hub = records.a_health_worker(facility), records.a_hub(facility)
    on_duty(hub)
    case = records.sent(facility, meena, hub, a_patient())
    talks, cases = ({"consultation": one.uid, "patient": one.patient.uid} for one in (talk, case))
    return {
        "patient": (issue_token(user=talk.patient.account, device="phone")[1], talks),
        "doctor": (issue_token(user=rao.user, device="desk", has_second_factor=True)[1], talks),
        "health worker": (
            issue_token(user=meena, device="desk", has_second_factor=True)[1], cases,
        ),
    }  # fmt: skip


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
        document = httpx.get(f"{url}/api/v1/schema/?format=json", timeout=SOON).json()
        tags = {
            tag
            for operations in document["paths"].values()
            for operation in operations.values()
            for tag in operation["tags"]
        }
        assert tags == {tag for part in PARTS.values() for tag in part}
        for who, (key, own) in {"nobody": ("", {}), **people()}.items():
            named = "".join(f'{name} = "{uid}"\n' for name, uid in own.items())
            (tmp_path / "schemathesis.toml").write_text(f"[parameters]\n{named}")
            asked = run(url, key, [] if EXAMPLES else PARTS[who], tmp_path)
            assert asked.returncode == 0, f"as {who}:\n{asked.stdout[-6000:]}{asked.stderr[-2000:]}"
    finally:
        site.urls.remove(url)
        site.stop(process)


def run(url: str, key: str, tags: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Everything that has one of these tags, or without any everything."""
    part = [word for tag in tags for word in ("--include-tag", tag)]
    signed_in = ["-H", f"Authorization: Bearer {key}"] if key else []
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/v1/schema/?format=json",
            *signed_in, *part, "--checks", CHECKS, *BY_CHANCE, "--phases", "examples,coverage,fuzzing",
            # A key of its own invention is refused before anything else is looked at.
            "--generation-with-security-parameters", "false",
            "--no-color", "--request-timeout", str(SOON), "--suppress-health-check", "too_slow",
            # Signing out would end the key that asks.
            "--exclude-path-regex", "sign-out|devices/",
        ],
        capture_output=True, text=True, check=False, cwd=folder,
        env=os.environ | {"PYTHONWARNINGS": ""},
    )  # fmt: skip
