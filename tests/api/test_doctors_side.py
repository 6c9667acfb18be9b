"""What a doctor does on the pages, by the API: rules and care, colleagues, cases in writing, refills."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consult import actions
from consult.models import AbuseReport, Consultation, Prescription
from queues.models import KeptApart, Token
from tests.api.program import Program
from tests.factories import (
    a_clinic,
    a_doctor,
    a_facility,
    a_health_worker,
    a_hub,
    a_specialist,
    a_user,
    before_the_screen,
    centre_of,
    in_the_room,
    on_duty,
    prescribed,
    refused_to,
    sent,
    the_formulary,
)

pytestmark = pytest.mark.django_db
PARACETAMOL = {
    "generic": "Paracetamol", "form": "tablet", "strength": "500 mg", "dose": "1-1-1", "days": 3,
}  # fmt: skip
ENALAPRIL = PARACETAMOL | {"generic": "Enalapril", "strength": "5 mg", "dose": "1-0-0", "days": 30}


def of(user: Any) -> Program:
    return Program(user, staff=True)


@pytest.fixture
def room() -> Consultation:
    """Asha before Dr Rao."""
    the_formulary()
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def test_a_dose_says_how_often_and_how_many(room):
    rao, path = of(room.doctor.user), f"doctor/consultations/{room.uid}"
    (line,) = rao.put(f"{path}/draft/", {"lines": [PARACETAMOL]}).json()["lines"]
    assert (line["frequency"], line["quantity"]) == ("tds", 9)
    counted = PARACETAMOL | {"quantity": 20}
    assert rao.put(f"{path}/draft/", {"lines": [counted]}).json()["lines"][0]["quantity"] == 20
    wrong = rao.put(f"{path}/draft/", {"lines": [PARACETAMOL, PARACETAMOL | {"dose": "some"}]})
    assert wrong.status_code == 400
    assert [list(one) for one in wrong.json()["fields"]["lines"]] == [[], ["frequency"]]
    note = {"diagnosis": "Viral fever", "red_flags": "Breathless"}
    assert rao.put(f"{path}/note/", note).json()["red_flags"] == "Breathless"
    issued = rao.post(f"{path}/issue/").json()
    assert (issued["red_flags"], issued["lines"][0]["quantity"]) == ("Breathless", 20)


def test_a_refusal_names_rule_source_and_what_is_possible_instead(room):
    rao, path = of(room.doctor.user), f"doctor/consultations/{room.uid}"
    rao.put(f"{path}/note/", {"diagnosis": "Hypertension"})
    draft = rao.put(f"{path}/draft/", {"lines": [ENALAPRIL]}).json()
    (refusal,) = draft["rules"]["refusals"]
    assert (refusal["code"], refusal["medicine"]) == ("refill_only", "Enalapril")
    assert all(refusal[name] for name in ("rule", "source", "instead"))
    refused = rao.post(f"{path}/issue/")
    assert (refused.status_code, refused.json()["code"]) == (409, "rules")
    assert refused.json()["details"]["refusals"] == [refusal]
    # The paper that the doctor has seen makes it a refill, and then it goes.
    paper = {"generic": "Enalapril", "written_on": _ago(30), "written_by": "Dr Das"}
    assert rao.post(f"{path}/papers/", paper).status_code == 201
    assert rao.get(f"{path}/papers/").json()[0]["written_by"] == "Dr Das"
    assert rao.get(f"{path}/draft/").json()["rules"]["refusals"] == []
    assert rao.post(f"{path}/issue/").status_code == 200


def test_a_warning_needs_a_reason(room):
    Consultation.objects.filter(pk=room.pk).update(allergies="paracetamol")
    rao, path = of(room.doctor.user), f"doctor/consultations/{room.uid}"
    rao.put(f"{path}/note/", {"diagnosis": "Fever"})
    (warning,) = rao.put(f"{path}/draft/", {"lines": [PARACETAMOL]}).json()["rules"]["warnings"]
    refused = rao.post(f"{path}/issue/").json()
    assert (refused["code"], refused["details"]["warnings"][0]["key"]) == (
        "warnings",
        warning["key"],
    )
    given = {"key": warning["key"], "reason": "Taken last week without trouble"}
    draft = rao.put(f"{path}/draft/", {"lines": [PARACETAMOL], "reasons": [given]}).json()
    assert draft["rules"]["warnings"][0]["reason"] == given["reason"]
    assert rao.post(f"{path}/issue/").status_code == 200


def test_a_visit_in_person_makes_it_a_follow_up(room):
    rao, path = of(room.doctor.user), f"doctor/consultations/{room.uid}"
    rao.put(f"{path}/draft/", {"lines": [PARACETAMOL]})
    visit = {"condition": "Fever", "seen_on": _ago(20), "place": "PHC", "confirmed": True}
    for wrong, field in [({"seen_on": _ago(200)}, "seen_on"), ({"confirmed": False}, "confirmed")]:
        assert field in rao.post(f"{path}/visits/", visit | wrong).json()["fields"]
    kept = rao.post(f"{path}/visits/", visit).json()
    assert kept["is_linked"] is True

    def consult_type() -> str:
        rao.put(f"{path}/note/", {"diagnosis": "Fever"})
        return rao.get(f"{path}/draft/").json()["rules"]["consult_type"]

    assert consult_type() == "follow_up"
    rao.post(f"{path}/visits/none/")
    assert (consult_type(), rao.get(f"{path}/visits/").json()[0]["is_linked"]) == ("first", False)
    assert rao.post(f"{path}/visits/{kept['id']}/link/").json()["is_linked"] is True
    assert rao.post(f"{path}/visits/{kept['id'] + 1}/link/").status_code == 404


def test_an_emergency_ends_with_first_aid_and_a_hospital_only(room):
    rao, asha = of(room.doctor.user), Program(room.patient.account)
    path = f"doctor/consultations/{room.uid}"
    assert asha.get(f"consultations/{room.uid}/emergency/").status_code == 404
    assert rao.post(f"{path}/emergency/").json()["told_at"] is None
    assert asha.get(f"consultations/{room.uid}/emergency/").status_code == 200
    assert rao.post(f"{path}/complete/").json()["code"] == "emergency"
    aid = {"first_aid": "Chew one aspirin.", "refer_to": "District hospital", "told": True}
    assert "told" in rao.post(f"{path}/emergency/refer/", aid | {"told": False}).json()["fields"]
    ended = rao.post(f"{path}/emergency/refer/", aid).json()
    assert (ended["state"], ended["end_reason"]) == ("returned", "emergency")
    assert (
        asha.get(f"consultations/{room.uid}/emergency/").json()["refer_to"] == "District hospital"
    )


def test_when_the_call_breaks_off_there_is_a_way_on(room):
    rao, path = of(room.doctor.user), f"doctor/consultations/{room.uid}"
    assert rao.post(f"{path}/phone/").json()["code"] == "not_agreed"
    Consultation.objects.filter(pk=room.pk).update(may_phone=True)
    assert rao.post(f"{path}/phone/").json() == {"phone": room.patient.account.phone}
    assert rao.post(f"{path}/in-text/").status_code == 200
    assert rao.post(f"{path}/put-back/").json()["state"] == "requested"
    assert Token.objects.get(consultation=room).comes_first is True


def test_sets_and_the_last_prescription_write_the_draft(room):
    rao = of(room.doctor.user)
    kept = rao.post("medicine-sets/", {"name": "Fever adult", "lines": [PARACETAMOL]}).json()
    assert [one["name"] for one in rao.get("medicine-sets/").json()] == ["Fever adult"]
    path = f"doctor/consultations/{room.uid}/draft"
    assert rao.post(f"{path}/repeat-last/").json()["code"] == "nothing_earlier"
    drafted = rao.post(f"{path}/use-set/", {"set": kept["uid"]}).json()
    assert [line["generic"] for line in drafted["lines"]] == ["Paracetamol"]
    stranger = a_doctor()
    assert of(stranger.user).ask("delete", f"medicine-sets/{kept['uid']}/").status_code == 404
    assert rao.ask("delete", f"medicine-sets/{kept['uid']}/").status_code == 204
    assert rao.get("medicine-sets/").json() == []


def test_the_last_prescription_is_written_once_more(room):
    prescribed(room)
    actions.complete(consultation=room, by=room.doctor.user)
    later = in_the_room(room.clinic, room.doctor, room.patient)
    rao, path = of(room.doctor.user), f"doctor/consultations/{later.uid}"
    drafted = rao.post(f"{path}/draft/repeat-last/").json()
    assert [line["generic"] for line in drafted["lines"]] == ["Paracetamol"]
    assert [one["diagnosis"] for one in rao.get(f"{path}/earlier/").json()] == ["Viral fever"]


def test_a_case_goes_on_only_where_the_pages_let_it_go():
    meena = a_health_worker()
    hub, skin = a_hub(centre_of(meena)), a_hub(centre_of(meena), "dermatology")
    elsewhere = a_clinic(name="Another state's")
    hospital = a_facility(name="District hospital", kind="district_hospital")
    doctor = on_duty(hub)
    specialist = a_specialist(skin)
    case = before_the_screen(meena, hub, doctor)
    rao, path = of(doctor.user), f"doctor/consultations/{case.uid}"
    ways = rao.get(f"{path}/ways-on/").json()
    assert [one["uid"] for one in ways["colleagues"]] == [str(skin.uid)]
    assert [one["uid"] for one in ways["return_to"]] == [str(skin.uid)]
    assert [one["name"] for one in ways["facilities"]] == ["District hospital"]

    question = {"clinic": str(skin.uid), "question": "Is this eczema?"}
    asked = rao.post(f"{path}/opinions/", question | {"clinic": str(elsewhere.uid)})
    assert (asked.status_code, list(asked.json()["fields"])) == (400, ["clinic"])
    opinion = rao.post(f"{path}/opinions/", question).json()
    assert rao.get(f"{path}/opinions/").json()[0]["state"] == "asked"
    withdrawn = rao.post(f"{path}/opinions/{opinion['uid']}/withdraw/").json()
    assert withdrawn["state"] == "withdrawn"
    assert of(specialist.user).post(f"opinions/{opinion['uid']}/join/").status_code in (404, 409)

    letter = {"facility": hospital.pk, "urgency": "urgent", "reason": "X-ray of the chest"}
    assert rao.post(f"{path}/refer/", letter).status_code == 201
    (kept,) = rao.get(f"consultations/{case.uid}/referrals/").json()
    paper = rao.get(f"consultations/{case.uid}/referrals/{kept['uid']}.pdf")
    assert b"".join(paper.streaming_content).startswith(b"%PDF")

    moved = {"clinic": str(elsewhere.uid), "words": "The skin clinic takes over.", "told": True}
    assert "clinic" in rao.post(f"{path}/transfer/", moved).json()["fields"]
    later = rao.post(f"{path}/transfer/", moved | {"clinic": str(skin.uid)}).json()
    assert (later["clinic"], later["state"]) == (str(skin.uid), "requested")


def test_a_case_is_returned_with_a_clinic_that_is_right():
    meena = a_health_worker()
    hub, skin = a_hub(centre_of(meena)), a_hub(centre_of(meena), "dermatology")
    doctor = on_duty(hub)
    case = before_the_screen(meena, hub, doctor)
    rao, path = of(doctor.user), f"doctor/consultations/{case.uid}/return/"
    said = {"reason": "wrong_speciality", "words": "Ask the skin clinic."}
    assert "clinic" in rao.post(path, said | {"clinic": str(a_clinic().uid)}).json()["fields"]
    back = rao.post(path, said | {"clinic": str(skin.uid)})
    assert (back.status_code, back.json()["state"]) == (200, "returned")
    worker = of(meena)
    (there,) = worker.get("cases/?only=came_back").json()["results"]
    assert there["uid"] == str(case.uid)
    on_duty(skin, a_specialist(skin))
    again = worker.post(
        f"cases/{case.uid}/send-again/", {"clinic": str(skin.uid), "is_present": True}
    )
    assert (again.status_code, again.json()["clinic"]) == (200, str(skin.uid))


def test_a_written_case_is_taken_by_one_doctor():
    meena = a_health_worker()
    hub = a_hub(centre_of(meena))
    doctor, other = on_duty(hub), on_duty(hub)
    case = sent(meena, hub, written=True)
    rao = of(doctor.user)
    assert [one["uid"] for one in rao.get("doctor/written/").json()["pile"]] == [str(case.uid)]
    assert rao.post(f"doctor/consultations/{case.uid}/take/").json()["state"] == "in_progress"
    assert [one["uid"] for one in rao.get("doctor/written/").json()["mine"]] == [str(case.uid)]
    late = of(other.user).post(f"doctor/consultations/{case.uid}/take/")
    assert (late.status_code, late.json()["code"]) == (409, "moved")
    absent = of(a_doctor().user)
    assert absent.post(f"doctor/consultations/{case.uid}/take/").status_code == 404


def test_a_refill_is_asked_and_answered_in_writing(room):
    prescribed(room)
    asha, rao = Program(room.patient.account), of(room.doctor.user)
    path, wish = f"consultations/{room.uid}/refills/", {"words": "Better", "consent": True}
    assert asha.post(path, wish).status_code == 404  # not over yet
    actions.complete(consultation=room, by=room.doctor.user)
    assert "consent" in asha.post(path, wish | {"consent": False}).json()["fields"]
    first = asha.post(path, wish).json()
    assert asha.post(path, wish).json()["code"] == "already_asked"
    assert Program(a_user()).post(f"refills/{first['uid']}/withdraw/").status_code == 404
    assert asha.post(f"refills/{first['uid']}/withdraw/").json()["state"] == "withdrawn"
    second = asha.post(path, wish).json()
    assert [one["words"] for one in rao.get("doctor/refills/").json()] == ["Better"]
    taken = rao.post(f"doctor/refills/{second['uid']}/take/").json()
    assert (taken["state"], taken["is_written"]) == ("in_progress", True)
    draft = Prescription.objects.get(consultation__uid=taken["uid"])
    assert [line.generic for line in draft.lines.all()] == ["Paracetamol"]
    assert [one["state"] for one in asha.get(path).json()] == ["withdrawn", "taken"]


def test_a_report_ends_the_talk_and_keeps_them_apart(room):
    answer = of(room.doctor.user).post(f"consultations/{room.uid}/report/", {"words": "Insults"})
    assert (answer.status_code, answer.json()["end_reason"]) == (200, "reported")
    assert AbuseReport.objects.get().words == "Insults"
    assert KeptApart.are(room.doctor, room.patient)


def test_where_a_doctor_may_go_on_duty_and_whom_they_leave(room):
    rao = of(room.doctor.user)
    assert [one["is_on_duty"] for one in rao.get("duty/clinics/").json()] == [True]
    in_line = actions.put_back(consultation=room, by=room.doctor.user)
    (left,) = rao.post("duty/end/").json()
    assert (left["clinic"], left["waiting"]) == (str(in_line.clinic.uid), 1)


def test_another_doctor_gets_404_everywhere_and_is_written_down(room):
    other = on_duty(room.clinic)
    program, path = of(other.user), f"doctor/consultations/{room.uid}"
    reads = ["visits/", "papers/", "earlier/", "opinions/", "ways-on/", "draft/"]
    writes = ["emergency/", "phone/", "in-text/", "put-back/", "visits/none/", "draft/repeat-last/"]
    got = [program.get(f"{path}/{end}").status_code for end in reads]
    got += [program.post(f"{path}/{end}").status_code for end in writes]
    got.append(program.post(f"consultations/{room.uid}/report/").status_code)
    assert got == [404] * 13
    assert refused_to(other.user) == [f"consultation:{room.uid}"] * 13


def _ago(days: int) -> str:
    return (timezone.localdate() - timedelta(days=days)).isoformat()
