"""What patients and anybody may do besides booking: papers, files in the talk, advice, complaints."""

import shutil
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from consult import actions
from consult.models import Consultation, Grievance, Note
from tests.api.program import Program
from tests.factories import (
    a_clinic,
    a_draft,
    a_photo,
    a_user,
    an_upload,
    in_the_room,
    on_duty,
    prescribed,
    refused_to,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def test_the_prescription_comes_in_both_sizes(room, django_capture_on_commit_callbacks):
    issued = prescribed(room)
    asha = Program(room.patient.account)
    path = f"consultations/{room.uid}/prescription.pdf"
    assert asha.get(path).json()["code"] == "soon"
    actions.render_prescription(issued.pk)
    with django_capture_on_commit_callbacks() as asked:
        assert asha.get(f"{path}?paper=a5").json()["code"] == "soon"
    assert len(asked) == 1
    actions.render_small(issued.pk)
    papers = {size: asha.get(f"{path}?paper={size}") for size in ("a4", "a5")}
    contents = {size: b"".join(answer.streaming_content) for size, answer in papers.items()}
    assert contents["a4"] != contents["a5"]
    assert all(content.startswith(b"%PDF") for content in contents.values())
    assert "-A5.pdf" in papers["a5"]["Content-Disposition"]
    assert asha.get(f"{path}?paper=a3").status_code == 400
    assert Program(a_user()).get(path).status_code == 404


@pytest.mark.parametrize(
    ("size", "render"), [("a4", actions.render_prescription), ("a5", actions.render_small)]
)
def test_a_prescription_whose_pdf_is_lost_gets_another(
    room, size, render, django_capture_on_commit_callbacks
):
    issued = prescribed(room)
    asha = Program(room.patient.account)
    path = f"consultations/{room.uid}/prescription.pdf?paper={size}"
    render(issued.pk)
    shutil.rmtree(Path(settings.MEDIA_ROOT) / "prescriptions")
    with django_capture_on_commit_callbacks() as asked:
        assert asha.get(path).json()["code"] == "soon"
    assert len(asked) == 1
    render(issued.pk)
    assert b"".join(asha.get(path).streaming_content).startswith(b"%PDF")


def test_a_file_that_is_lost_is_not_found_and_the_rest_is_there(room):
    asha = Program(room.patient.account)
    sent = {"client_id": str(uuid.uuid4()), "text": "My foot", "file": an_upload(a_photo())}
    path = f"consultations/{room.uid}/messages/"
    asha.client.post(f"/api/v1/{path}files/", sent, headers=asha.headers)
    shutil.rmtree(Path(settings.MEDIA_ROOT))
    kept = room.attachments.get()
    assert asha.get(f"consultations/{room.uid}/files/{kept.uid}/").status_code == 404
    assert asha.get(path).json()[0]["text"] == "My foot"


def test_a_photo_goes_with_a_message_once(room):
    asha = Program(room.patient.account)
    path = f"/api/v1/consultations/{room.uid}/messages/files/"
    sent = {"client_id": str(uuid.uuid4()), "text": "My foot"}
    for _twice in range(2):
        body = sent | {"file": an_upload(a_photo())}
        answer = asha.client.post(path, body, headers=asha.headers)
        assert (answer.status_code, answer.json()["file"]["is_image"]) == (201, True)
    assert room.messages.count() == room.attachments.count() == 1
    false = sent | {"client_id": str(uuid.uuid4()), "file": an_upload(b"<html>")}
    refused = asha.client.post(path, false, headers=asha.headers)
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["file"])
    actions.complete(consultation=room, by=room.doctor.user)
    late = sent | {"client_id": str(uuid.uuid4()), "file": an_upload(a_photo())}
    assert asha.client.post(path, late, headers=asha.headers).json()["code"] == "ended"


def test_advice_without_a_prescription_is_read_once_it_is_complete(room):
    asha, path = Program(room.patient.account), f"consultations/{room.uid}/advice/"
    by = room.doctor.user
    actions.save_note(consultation=room, by=by, diagnosis="Cold", advice="Rest")
    assert asha.get(path).status_code == 404
    actions.complete(consultation=room, by=by)
    assert asha.get(path).json()["advice"] == "Rest"
    stranger = a_user()
    assert Program(stranger).get(path).status_code == 404
    assert refused_to(stranger) == [f"consultation:{room.uid}"]


def test_stars_are_read_again(room):
    asha, path = Program(room.patient.account), f"consultations/{room.uid}/feedback/"
    actions.complete(consultation=room, by=room.doctor.user)
    assert asha.get(path).status_code == 404
    asha.post(path, {"stars": 4, "words": "Kind"})
    assert (asha.get(path).json()["stars"], asha.get(path).json()["words"]) == (4, "Kind")


def test_whether_the_doctor_may_phone_is_asked_with_the_consent():
    clinic = a_clinic()
    on_duty(clinic)
    draft = a_draft(clinic)
    asha = Program(draft.patient.account)
    asha.post(f"consultations/{draft.uid}/request/", {"consent": True, "may_phone": True})
    draft.refresh_from_db()
    assert (draft.state, draft.may_phone) == ("requested", True)


@pytest.mark.usefixtures("one_moment")
def test_anybody_may_complain_but_not_without_end():
    anybody = Program()
    said = {"about": "waiting", "words": "Two hours", "phone": "98765 43210"}
    filed = anybody.post("grievances/", said)
    assert filed.status_code == 201
    kept = Grievance.objects.get(number=filed.json()["number"])
    assert (kept.phone, kept.by) == ("+919876543210", None)
    assert "phone" in anybody.post("grievances/", said | {"phone": "12"}).json()["fields"]
    asha = a_user()
    Program(asha).post("grievances/", said)
    assert Grievance.objects.filter(by=asha).exists()
    answers = [anybody.post("grievances/", said).status_code for _n in range(10)]
    assert answers == [201] * 8 + [429] * 2


def test_anybody_who_holds_the_paper_sees_that_it_is_true_and_nothing_else(room):
    issued = prescribed(room)
    spaced = issued.spaced_code.lower()
    seen = Client().get("/api/v1/prescriptions/check/", {"code": spaced}).json()
    assert (seen["standing"], seen["number"], seen["medicines"]) == ("valid", issued.number, 1)
    assert set(seen) == {
        "standing", "number", "doctor", "registration_number", "council", "issued_at", "medicines",
        "dispensed",
    }  # fmt: skip
    by_picture = Client().get("/api/v1/prescriptions/check/", {"code": issued.check_id})
    assert by_picture.json() == seen
    assert Client().get("/api/v1/prescriptions/check/", {"code": "ABCDEFGHJKLM"}).status_code == 404
    assert Client().get("/api/v1/prescriptions/check/").status_code == 400


def test_a_diagnosis_is_words_with_or_without_a_code(room):
    rao = Program(room.doctor.user, staff=True)
    found = rao.get("icd10/?q=acute tonsillitis").json()
    assert {"code": "J03.9", "title": "Acute tonsillitis, unspecified"} in found
    assert {one["code"] for one in rao.get("icd10/?q=j03").json()} == {"J03.0", "J03.8", "J03.9"}
    assert rao.get("icd10/?q=j").status_code == 400
    assert rao.get("icd10/?q=no such illness").json() == []
    path = f"doctor/consultations/{room.uid}/note/"
    for typed in ("j03.9", "J039"):
        coded = rao.put(path, {"diagnosis": "Sore throat", "icd10": typed}).json()
        assert (coded["diagnosis"], coded["icd10"], coded["icd10_title"]) == (
            "Sore throat", "J03.9", "Acute tonsillitis, unspecified",
        )  # fmt: skip
    for unknown in ("Q99.99", "J00-J06", "X"):
        refused = rao.put(path, {"diagnosis": "Sore throat", "icd10": unknown})
        assert (refused.status_code, list(refused.json()["fields"])) == (400, ["icd10"])
    assert Note.objects.get(consultation=room).icd10 == "J03.9"
    free = rao.put(path, {"diagnosis": "Something that no table has"}).json()
    assert (free["diagnosis"], free["icd10"], free["icd10_title"]) == (
        "Something that no table has", "", "",
    )  # fmt: skip
    assert Note.objects.get(consultation=room).icd10 == ""
