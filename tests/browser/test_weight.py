"""A first visit over a slow network: every patient page within 60 KB in all."""

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request

from consult.models import Consultation
from tests.factories import (
    a_clinic,
    a_district,
    a_draft,
    a_patient,
    as_patient,
    in_the_room,
    on_duty,
    prescribed,
    waiting,
)
from tests.running import SOON, Site

pytestmark = pytest.mark.chromium
BUDGET = 60 * 1024
NGINX = (Path(__file__).parents[2] / "deploy" / "nginx" / "nginx.conf").read_text()
PACKED_AT = int(re.findall(r"^\s*gzip_comp_level (\d);", NGINX, re.M)[0])
PACKED = {"text/html", *re.findall(r"^\s*gzip_types ([^;]+);", NGINX, re.M)[0].split()}
CAST = ("Fever and cough for three days, worse at night. " * 10)[:400]


def patient_pages(draft: Consultation, waits: Consultation, talks: Consultation) -> list[str]:
    patient = draft.patient.uid
    return [
        "/",
        "/privacy/",
        "/patients/",
        "/patients/new/",
        f"/book/{patient}/",
        f"/book/{patient}/{draft.clinic.uid}/",
        f"/consultations/{draft.uid}/files/",
        f"/consultations/{draft.uid}/confirm/",
        f"/consultations/{waits.uid}/",
        f"/consultations/{talks.uid}/",
        "/consultations/",
        "/grievance/",
        "/check/",
    ]


def on_the_wire(request: Request) -> int:
    """Bytes of one answer as the proxy of docker-compose sends it: texts packed as nginx.conf says."""
    response = request.response()
    assert response is not None
    headers = request.sizes()["responseHeadersSize"]
    if response.status in (204, 304):
        return headers
    kind = response.headers.get("content-type", "").partition(";")[0]
    body = response.body()
    return headers + (len(gzip.compress(body, PACKED_AT)) if kind in PACKED else len(body))


def test_every_patient_page_weighs_at_most_60_kb_on_the_first_visit(
    chromium: Browser, site: Site
) -> None:
    a_district()
    clinic, other, third = a_clinic(), a_clinic(), a_clinic()
    doctor = on_duty(clinic)
    asha = a_patient()
    prescribed(in_the_room(clinic, doctor, asha))
    talks = asha.consultations.get()
    on_duty(other), on_duty(third)
    waits = waiting(other, asha, complaint=CAST)
    draft = a_draft(third, asha, complaint=CAST)
    session = as_patient(asha.account).cookies["sessionid"].value

    weights = {}
    for path in ["/sign-in/", *patient_pages(draft, waits, talks)]:
        context = chromium.new_context(base_url=site.url)
        context.set_default_timeout(SOON * 1000)
        if path != "/sign-in/":
            context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])
        page = context.new_page()
        done: list[Request] = []
        page.on("requestfinished", lambda request, done=done: done.append(request))
        answer = page.goto(path, wait_until="networkidle")
        assert answer is not None
        assert answer.status == 200
        assert page.url == f"{site.url}{path}"
        weights[path] = sum(on_the_wire(request) for request in done)
        context.close()

    assert {path: weight for path, weight in weights.items() if weight > BUDGET} == {}
    assert min(weights.values()) > 5_000  # something was measured
