"""The case as a health worker writes it: saved as it is typed, shared by colleagues, lost by none."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Patient
from consult import actions
from consult.models import Attachment, Consultation, Observation
from consult.readings import readings
from consult.trends import trends
from consult.uploads import clean_upload
from consult.vitals import VITALS
from queues.models import MoveRefused
from tests.factories import (
    a_doctor,
    a_health_worker,
    a_hub,
    a_patient,
    a_photo,
    an_upload,
    as_staff,
    at_centre,
    before_the_screen,
    centre_of,
    known_at,
    on_duty,
    sent,
)

pytestmark = pytest.mark.django_db
QUIETLY = {"Accept": "application/json"}


@pytest.fixture
def hub(meena):
    clinic = a_hub(centre_of(meena))
    on_duty(clinic)
    return clinic


@pytest.fixture
def draft(meena, hub) -> Consultation:
    return at_centre(meena)


def path(draft: Consultation, name: str = "centre_case") -> str:
    return reverse(f"consult:{name}", args=[draft.uid])


def typed(draft: Consultation, **fields) -> dict:
    """What the page sends: all words of the case as stored, but for `fields`."""
    words = {name: value for name, value in draft.words().items() if value not in (None, False, "")}
    vitals = {f"vital_{row.kind}": row.shown for row in draft.observations.all()}
    return {"revision": draft.revision, **words, **vitals, **fields}


def save(meena, draft: Consultation, **fields):
    return as_staff(meena).post(path(draft), typed(draft, **fields))


def quietly(meena, draft: Consultation, **fields):
    return as_staff(meena).post(path(draft), typed(draft, **fields), headers=QUIETLY)


def stored(draft: Consultation) -> Consultation:
    return Consultation.objects.get(pk=draft.pk)


def values(draft: Consultation) -> dict[str, str]:
    return {row.kind: row.shown for row in draft.observations.all()}


# --- one draft, several hands -------------------------------------------------------------------
def test_a_patient_has_one_draft_at_a_centre_whoever_opens_it(meena, hub):
    person = known_at(centre_of(meena))
    sunita = a_health_worker(centre_of(meena))
    open_it = reverse("consult:centre_open", args=[person.uid])
    addresses = {as_staff(one).post(open_it).url for one in (meena, sunita, meena)}
    assert addresses == {path(Consultation.objects.get())}


def test_a_centre_without_a_hub_is_told_and_no_draft_is_made(meena):
    person = known_at(centre_of(meena))
    answer = as_staff(meena).post(reverse("consult:centre_open", args=[person.uid]), follow=True)
    assert "linked to no hub yet" in answer.text
    assert not Consultation.objects.exists()


def test_a_save_writes_all_that_is_new_at_once(meena, draft):
    vitals = {"pulse": Decimal(88), "spo2": Decimal(97), "temperature": Decimal("38.4")}
    words = {"complaint": "Cough with blood"}
    with CaptureQueriesContext(connection) as asked:
        actions.save_case(
            draft=draft, by=meena, revision=draft.revision, words=words, vitals=vitals
        )
    if connection.vendor == "postgresql":
        assert len(asked) == 2  # what was measured until now, and the save
    assert values(draft) == {"pulse": "88", "spo2": "97", "temperature": "38.4"}
    assert stored(draft).complaint == "Cough with blood"
    assert AuditEvent.objects.filter(
        action="case.save", target=f"consultation:{draft.uid}"
    ).exists()


def test_what_is_typed_saves_itself_and_counts_its_saves(meena, draft):
    answer = quietly(meena, draft, complaint="Cough with blood", vital_spo2="97")
    assert (answer.status_code, answer.json()) == (
        200,
        {"revision": draft.revision + 1, "wrong": {}},
    )
    assert stored(draft).complaint == "Cough with blood"
    assert values(draft) == {"pulse": "88", "spo2": "97"}


def test_a_number_that_is_half_typed_loses_nothing_else(meena, draft):
    answer = quietly(meena, draft, complaint="Cough with blood", vital_pulse="8")
    assert answer.json()["revision"] == draft.revision + 1
    assert list(answer.json()["wrong"]) == ["vital_pulse"]
    assert (stored(draft).complaint, values(draft)) == ("Cough with blood", {"pulse": "88"})


def test_two_colleagues_at_once_overwrite_nothing_and_the_page_shows_both(meena, draft):
    sunita = a_health_worker(centre_of(meena))
    save(sunita, draft, complaint="Cough since the rain", vital_pulse="110")
    answer = save(meena, draft, complaint="Breathless at night", allergies="Penicillin")
    assert answer.status_code == 409
    for words in ["Breathless at night", "Penicillin", "Cough since the rain", "110"]:
        assert words in answer.text
    assert f'name="revision" value="{stored(draft).revision}"' in answer.text
    assert (stored(draft).complaint, values(draft)) == ("Cough since the rain", {"pulse": "110"})
    again = save(meena, stored(draft), complaint="Breathless at night; cough since the rain")
    assert again.status_code == 302
    assert stored(draft).complaint == "Breathless at night; cough since the rain"


def test_a_page_that_saves_itself_is_told_of_the_colleague_in_a_code(meena, draft):
    save(meena, draft, complaint="Cough since the rain")
    answer = quietly(meena, draft, complaint="Breathless at night")
    assert (answer.status_code, answer.json()["code"]) == (409, "changed")
    assert "colleague" in answer.json()["message"]
    assert stored(draft).complaint == "Cough since the rain"


@pytest.mark.parametrize("first_arrives_first", [True, False])
def test_of_two_saves_of_a_page_that_was_left_the_later_one_stands(
    meena, draft, first_arrives_first
):
    first = {"complaint": "Cough", "sent_revision": "", "new_revision": 7_000_001}
    later = {"complaint": "Cough, blood", "sent_revision": 7_000_001, "new_revision": 7_000_002}
    sent = [first, later] if first_arrives_first else [later, first]
    for typed in sent:
        quietly(meena, draft, **typed)
    assert (stored(draft).complaint, stored(draft).revision) == ("Cough, blood", 7_000_002)


def test_a_colleague_between_two_saves_of_a_page_is_not_overwritten(meena, draft):
    quietly(meena, draft, complaint="Cough", new_revision=7_000_001)
    quietly(a_health_worker(centre_of(meena)), stored(draft), complaint="Cough since the rain")
    later = {"complaint": "Cough, blood", "sent_revision": 7_000_001, "new_revision": 7_000_002}
    assert quietly(meena, draft, **later).status_code == 409
    assert stored(draft).complaint == "Cough since the rain"


def test_the_same_words_twice_are_no_conflict(meena, draft):
    for _click in range(2):
        answer = quietly(meena, draft, complaint="Cough since the rain")
        assert answer.json() == {"revision": draft.revision + 1, "wrong": {}}


def test_vital_signs_alone_are_a_conflict_too(meena, draft):
    quietly(meena, draft, vital_pulse="120")
    assert quietly(meena, draft, vital_pulse="60").status_code == 409
    assert values(draft) == {"pulse": "120"}


def test_whoever_is_overtaken_between_reading_and_writing_overwrites_nothing(meena, draft):
    read = stored(draft)
    quietly(meena, draft, complaint="Cough since the rain", vital_pulse="110")
    with pytest.raises(actions.ChangedMeanwhile) as refused:
        actions.save_case(
            draft=read, by=meena, revision=read.revision, words={"complaint": "Weak"}, vitals={}
        )
    assert refused.value.draft.complaint == "Cough since the rain"
    assert (stored(draft).complaint, values(draft)) == ("Cough since the rain", {"pulse": "110"})


def test_a_case_that_is_sent_between_reading_and_writing_takes_no_more_words(meena, hub):
    read = sent(meena, hub)
    read.state = Consultation.State.DRAFT  # as it was
    with pytest.raises(MoveRefused):
        actions.save_case(
            draft=read, by=meena, revision=read.revision, words={"complaint": "x"}, vitals={}
        )
    assert stored(read).complaint == "Fever with chills at night"


def test_a_case_that_was_sent_takes_no_more_words_and_says_so(meena, hub):
    case = sent(meena, hub)
    answer = quietly(meena, case, complaint="Something else")
    assert (answer.status_code, answer.json()["code"]) == (409, "sent")
    page = as_staff(meena).post(path(case), typed(case, complaint="Something else"), follow=True)
    assert "The case was sent already; nothing was changed." in page.text
    with pytest.raises(MoveRefused):
        actions.save_case(draft=case, by=meena, revision=1, words={"complaint": "x"}, vitals={})
    assert stored(case).complaint == "Fever with chills at night"


# --- vital signs --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "wrong", "words"),
    [
        ("temperature", "98.6", "30 to 45 °C is possible. Measure again."),
        ("temperature", "29.9", "30 to 45 °C is possible"),
        ("pulse", "251", "20 to 250 /min is possible"),
        ("spo2", "101", "40 to 100 % is possible"),
        ("weight", "0", "0.5 to 300 kg is possible"),
        ("glucose", "5", "20 to 800 mg/dL is possible"),
        ("pulse", "fast", "Enter a number."),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(meena, draft, kind, wrong, words):
    answer = save(meena, draft, **{f"vital_{kind}": wrong})
    assert answer.status_code == 422
    assert words in answer.text
    assert values(draft) == {"pulse": "88"}


@pytest.mark.parametrize("end", [0, 1], ids=["lowest", "highest"])
def test_the_limits_themselves_are_possible(meena, draft, end):
    limits = {vital.kind: f"{vital.possible[end]:g}" for vital in VITALS}
    assert save(meena, draft, **{f"vital_{k}": v for k, v in limits.items()}).status_code == 302
    assert values(draft) == limits


@pytest.mark.parametrize(
    ("upper", "lower", "words"),
    [
        ("120", "", "Blood pressure has two numbers"),
        ("", "80", "Blood pressure has two numbers"),
        ("80", "120", "The upper number is the larger one."),
        ("120", "80", ""),
    ],
)
def test_blood_pressure_has_two_numbers_in_order(meena, draft, upper, lower, words):
    answer = save(meena, draft, vital_systolic=upper, vital_diastolic=lower)
    assert answer.status_code == (422 if words else 302)
    assert not words or words in answer.text


def test_what_is_unusual_for_the_age_is_warned_about_and_kept(meena, hub):
    baby = a_patient(age=0, guardian_name="Sita", guardian_relation="mother")
    adult = at_centre(meena, vitals={"pulse": Decimal(140), "temperature": Decimal("37.0")})
    infant = at_centre(meena, baby, vitals={"pulse": Decimal(140)})
    assert [one.shown for one in readings(adult) if one.is_unusual] == ["140"]
    assert [one for one in readings(infant) if one.is_unusual] == []
    warned = [
        path(one) for one in (adult, infant) if "Unusual" in as_staff(meena).get(path(one)).text
    ]
    assert warned == [path(adult)]


def test_each_reading_keeps_its_loinc_code_and_ucum_unit(meena, draft):
    save(meena, draft, vital_temperature="38.4", vital_systolic="130", vital_diastolic="85")
    kept = draft.observations.values_list("kind", "value", "loinc", "unit")
    assert set(kept) == {
        ("pulse", Decimal(88), "8867-4", "/min"),
        ("temperature", Decimal("38.4"), "61008-9", "Cel"),
        ("systolic", Decimal(130), "8480-6", "mm[Hg]"),
        ("diastolic", Decimal(85), "8462-4", "mm[Hg]"),
    }
    assert [one.shown for one in readings(draft)] == ["88", "38.4", "130/85"]


def test_a_reading_that_is_not_changed_keeps_its_time_and_its_hand(meena, draft):
    an_hour_ago = timezone.now() - timedelta(hours=1)
    draft.observations.update(taken_at=an_hour_ago)
    sunita = a_health_worker(centre_of(meena))
    save(sunita, draft, vital_spo2="96")
    rows = {row.kind: (row.taken_by, row.taken_at == an_hour_ago) for row in _rows(draft)}
    assert rows == {"pulse": (meena, True), "spo2": (sunita, False)}
    save(sunita, stored(draft), vital_pulse="90", vital_spo2="")
    assert {row.kind: row.taken_by for row in _rows(draft)} == {"pulse": sunita}


def _rows(draft: Consultation):
    return draft.observations.select_related("taken_by")


def test_a_reading_after_sending_stands_beside_the_first(meena, hub):
    case = sent(meena, hub)
    answer = as_staff(meena).post(path(case, "centre_measure"), {"vital_pulse": "60"})
    assert answer.status_code == 302
    assert [one.shown for one in readings(case)] == ["88", "60"]
    nothing = as_staff(meena).post(path(case, "centre_measure"), {})
    assert (nothing.status_code, "Write at least one number." in nothing.text) == (422, True)


def test_pregnancy_and_last_period_are_asked_where_they_apply(meena, hub):
    for patient, asked in [
        (a_patient(age=25), True),
        (a_patient(age=70), False),
        (a_patient(sex=Patient.Sex.MALE, age=25), False),
    ]:
        page = as_staff(meena).get(path(at_centre(meena, patient))).text
        assert ('name="lmp"' in page, 'name="is_pregnant"' in page) == (asked, asked)


def test_a_period_of_tomorrow_is_refused(meena, draft):
    tomorrow = timezone.localdate() + timedelta(days=1)
    answer = save(meena, draft, lmp=tomorrow.isoformat())
    assert (answer.status_code, "lies in the future" in answer.text) == (422, True)


# --- a case that came back ----------------------------------------------------------------------
@pytest.fixture
def returned(meena, hub) -> Consultation:
    case = sent(meena, hub, allergies="Penicillin", impression="Malaria?")
    clean_upload(an_upload(a_photo())).attach(case, meena)
    rao = hub.duties.get().doctor
    actions.call_next(clinic=hub, doctor=rao)
    return actions.return_consultation(
        consultation=case, by=rao.user, reason="not_enough", words="Which days is the fever?"
    )


def test_a_case_that_came_back_opens_with_everything_in_it(meena, returned):
    draft = actions.reopen_case(earlier=returned, by=meena)
    assert (draft.state, draft.continues) == ("draft", returned)
    assert draft.words() == returned.words()
    original, copy = returned.observations.get(), draft.observations.get()
    assert (copy.copy_of, copy.value, copy.taken_at) == (
        original,
        original.value,
        original.taken_at,
    )
    assert draft.attachments.get().file.name == returned.attachments.get().file.name


def test_a_copy_of_a_copy_stands_for_the_first_measurement(meena, hub, returned):
    first = returned.observations.get()
    second = actions.reopen_case(earlier=returned, by=meena)
    actions.discard_draft(consultation=second, by=meena)
    second.refresh_from_db()
    third = actions.reopen_case(earlier=second, by=meena)
    assert third.observations.get().copy_of == first


def test_trends_show_each_measurement_once(meena, hub, returned):
    patient = returned.patient
    actions.reopen_case(earlier=returned, by=meena)
    assert Observation.objects.filter(patient=patient).count() == 2
    assert trends(patient) == []
    draft = Consultation.objects.get(state="draft")
    save(meena, draft, vital_pulse="72")
    assert [one.rows[-1].shown for one in trends(patient)] == ["72"]
    assert [len(one.rows) for one in trends(patient)] == [2]


@pytest.mark.django_db(transaction=True)
def test_a_file_taken_off_the_copy_stays_with_the_original(meena, returned):
    kept = returned.attachments.get()
    draft = actions.reopen_case(earlier=returned, by=meena)
    copy = draft.attachments.get()
    actions.remove_attachment(attachment=copy, by=meena)
    assert kept.file.storage.exists(kept.file.name)
    alone = Attachment.objects.create(
        consultation=draft, uploaded_by=meena, file=ContentFile(b"x", "x"), name="x", size=1
    )
    storage, name = alone.file.storage, alone.file.name
    actions.remove_attachment(attachment=alone, by=meena)
    assert not storage.exists(name)


def test_reopening_does_not_touch_the_draft_of_a_colleague(meena, returned):
    draft = actions.reopen_case(earlier=returned, by=meena)
    save(meena, draft, complaint="Every second day, with chills")
    sunita = a_health_worker(centre_of(meena))
    again = as_staff(sunita).post(path(returned, "centre_reopen"))
    assert again.url == path(draft)
    assert stored(draft).complaint == "Every second day, with chills"


def test_a_case_that_is_open_cannot_be_reopened(meena, hub):
    case = before_the_screen(meena, hub, on_duty(hub, a_doctor()))
    with pytest.raises(MoveRefused):
        actions.reopen_case(earlier=case, by=meena)
    assert not Consultation.objects.filter(state="draft").exists()
