"""A client that was generated from the OpenAPI document plays the outpatient journey, both sides."""

import importlib
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from consult.models import Consultation
from queues.models import Token
from tests.factories import PASSWORD, a_clinic, a_doctor, the_formulary, totp_code
from tests.running import SOON, Site

PHONE = "+919876501234"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The package, as somebody who has only the document would make it."""
    return tmp_path_factory.mktemp("client")


def generate(folder: Path, document: dict) -> ModuleType:
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "config.json").write_text(json.dumps({"post_hooks": []}))
    made = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none",
            "--path", str(folder / "openapi.json"), "--config", str(folder / "config.json"),
            "--output-path", str(folder / "clinic_client"), "--overwrite",
        ],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONWARNINGS": ""},
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout, made.stdout
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("clinic_client")
    finally:
        sys.path.remove(str(folder))


class Program:
    """Calls operations by their id, as the generated package names them."""

    def __init__(self, package: ModuleType, url: str, key: str = "") -> None:
        self.package, self.url, self.key = package, url, key

    def _client(self) -> Any:
        how = {"base_url": self.url, "timeout": httpx.Timeout(SOON)}
        if self.key:
            return self.package.AuthenticatedClient(token=self.key, **how)
        return self.package.Client(**how)

    def call(self, where: str, body: Any = None, **how: Any) -> Any:
        """`where` is "tag.operation"; bodies are made by the generated models."""
        tag, operation = where.split(".")
        module = importlib.import_module(f"clinic_client.api.{tag}.{operation}")
        if body is not None:
            how["body"] = body
        with self._client() as client:
            answer = module.sync_detailed(client=client, **how)
        assert answer.status_code < 300, answer.content
        return answer.parsed

    def model(self, name: str, /, **values: Any) -> Any:
        made = getattr(importlib.import_module("clinic_client.models"), name)
        return made.from_dict(values)


def signed_in(package: ModuleType, site: Site) -> Program:
    anybody = Program(package, site.url)
    anybody.call("sign_in.post_sign_in_code", anybody.model("PhoneInputRequest", phone=PHONE))
    code = site.gateway.code_for(PHONE)
    typed = anybody.model("CodeInputRequest", phone=PHONE, code=code, device="Asha's phone")
    token = anybody.call("sign_in.post_sign_in", typed)
    return Program(package, site.url, token.key)


def doctors(package: ModuleType, site: Site, user: Any) -> Program:
    anybody = Program(package, site.urls[-1])
    typed = anybody.model(
        "StaffInputRequest",
        phone=user.phone, password=PASSWORD, code=totp_code(user), device="desk",
    )  # fmt: skip
    token = anybody.call("sign_in.post_sign_in_staff", typed)
    return Program(package, site.urls[-1], token.key)


def test_the_outpatient_journey_from_both_sides(site: Site, generated: Path) -> None:
    clinic, rao = a_clinic(), a_doctor()
    the_formulary()
    document = httpx.get(f"{site.url}/api/v1/schema/?format=json", timeout=SOON).json()
    package = generate(generated, document)
    asha, doctor = signed_in(package, site), doctors(package, site, rao.user)
    doctor.call("duty.post_duty", doctor.model("DutyInputRequest", clinic=str(clinic.uid)))

    asha.call("notice.post_notice")
    person = asha.call(
        "patients.post_patients",
        asha.model("PatientInputRequest", name="Asha Menon", sex="female", age=34,
                   address="12 Canal Road", state=32),
    )  # fmt: skip
    (there,) = asha.call("clinics.get_clinics", state=32, patient=person.uid)
    assert (there.doctors, there.takes_patients) == (1, True)
    draft = asha.call(
        "consultations.post_consultations",
        asha.model("DraftInputRequest", patient=str(person.uid), clinic=str(there.uid),
                   complaint="Fever and sore throat", since="days"),
    )  # fmt: skip
    one = draft.uid
    consent, key = asha.model("RequestInputRequest", consent=True), uuid.uuid4().hex
    for _twice in range(2):
        sent = asha.call(
            "consultations.post_consultations_consultation_request",
            consent, consultation=one, idempotency_key=key,
        )  # fmt: skip
        assert sent.token.number == 1
    place = asha.call("consultations.get_consultations_consultation_place", consultation=one)
    assert place.ahead == 0

    called = doctor.call(
        "doctor.post_doctor_call", doctor.model("CallInputRequest", clinic=str(clinic.uid))
    )
    assert called.uid == one
    asha.call("consultations.post_consultations_consultation_answer", consultation=one)
    said = asha.model("MessageInputRequest", client_id=str(uuid.uuid4()), text="नमस्ते डॉक्टर")
    asha.call("consultations.post_consultations_consultation_messages", said, consultation=one)
    (heard,) = doctor.call(
        "consultations.get_consultations_consultation_messages", consultation=one
    )
    assert heard.text == "नमस्ते डॉक्टर"
    of = "doctor.{}_doctor_consultations_consultation_{}"
    doctor.call(
        of.format("put", "note"),
        doctor.model("NoteInputRequest", diagnosis="Viral fever", advice="Rest"), consultation=one,
    )  # fmt: skip
    line = {"generic": "Paracetamol", "form": "tablet", "strength": "500 mg", "dose": "1",
            "frequency": "tds", "days": 3}  # fmt: skip
    doctor.call(
        of.format("put", "draft"), doctor.model("LinesInputRequest", lines=[line]), consultation=one
    )
    issued = doctor.call(of.format("post", "issue"), consultation=one)
    doctor.call(of.format("post", "complete"), consultation=one)

    got = asha.call("consultations.get_consultations_consultation_prescription", consultation=one)
    assert (got.number, got.lines[0].generic) == (issued.number, "Paracetamol")
    stars = asha.model("FeedbackInputRequest", stars=5)
    asha.call("consultations.post_consultations_consultation_feedback", stars, consultation=one)
    consultation = Consultation.objects.get(uid=one)
    assert (consultation.state, consultation.feedback.stars) == ("completed", 5)
    assert consultation.token.state == Token.State.DONE
