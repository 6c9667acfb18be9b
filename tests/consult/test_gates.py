"""What holds a health centre's case back, each gate from both sides, with its sentence on the page."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Patient
from consult import actions
from consult.models import Consent, Consultation, FollowUp, Referral
from consult.readiness import Attested, is_vague
from queues.models import HubLink
from tests.factories import (
    a_facility,
    a_hub,
    a_patient,
    a_specialist,
    as_staff,
    at_centre,
    centre_of,
    on_duty,
    send,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def general(meena):
    clinic = a_hub(centre_of(meena))
    on_duty(clinic)
    return clinic


@pytest.fixture
def skin(meena, general):
    clinic = a_hub(centre_of(meena), "dermatology")
    a_specialist(clinic)
    return clinic


def held_by(draft: Consultation, clinic, meena, **how) -> list[str]:
    """The codes of what is in the way; the case stays a draft, and no number is used."""
    with pytest.raises(actions.NotReady) as held:
        send(draft, clinic, meena, **how)
    draft.refresh_from_db()
    assert (draft.state, draft.token, draft.attested_at) == ("draft", None, None)
    assert not Consent.objects.exists()
    return held.value.obstacles


# --- is the case complete? ----------------------------------------------------------------------
@pytest.mark.parametrize(
    "complaint",
    [
        "", "fever", "FEVER!!", "pain", "body pain", "Patient is sick since few days.", "not well",
        "follow up", "routine check up", "12 34", "... - ...", "as above", "दर्द", "तबीयत ठीक नहीं है",
        "बुखार", "शरीर में बहुत दर्द",
    ],
)  # fmt: skip
def test_a_vague_complaint_is_known_in_english_and_hindi(complaint: str):
    assert is_vague(complaint)


@pytest.mark.parametrize(
    "complaint",
    [
        "fever and cough",
        "chest pain",
        "loose motions",
        "पेट में दर्द",
        "तेज़ बुखार",
        "खाँसी और बुखार",
        "பல் வலி",
    ],
)
def test_a_short_complaint_that_says_something_passes(complaint: str):
    assert not is_vague(complaint)


def test_a_case_without_words_or_numbers_is_held_back_and_an_emergency_is_not(meena, general):
    draft = at_centre(meena, complaint="fever", vitals={})
    assert held_by(draft, general, meena) == ["vague", "no_vitals"]
    emergency = at_centre(meena, complaint="", vitals={}, is_emergency=True)
    assert send(emergency, general, meena).token.priority == 0


def test_a_complete_case_goes_out_with_consent_attestation_and_how_complete_it_is(meena, general):
    case = send(at_centre(meena), general, meena, language="hi", how="signed")
    assert (case.state, case.attested_by, case.requested_by) == ("requested", meena, meena)
    assert case.attested_at is not None
    assert case.completeness == round(100 * 3 / 14)  # complaint, since and pulse
    consent = case.consent
    assert (consent.language, consent.how, consent.given_by) == ("hi", "signed", meena)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Attested(consent_given=False, patient_is_present=True), "no_consent"),
        (Attested(consent_given=True, patient_is_present=False), "not_present"),
    ],
)
def test_without_consent_or_patient_not_even_an_emergency_goes_out(meena, general, said, code):
    draft = at_centre(meena, is_emergency=True)
    assert held_by(draft, general, meena, said=said) == [code]


# --- the right speciality -----------------------------------------------------------------------
MAN, WOMAN = Patient.Sex.MALE, Patient.Sex.FEMALE


@pytest.mark.parametrize(
    ("code", "sex", "age", "fits"),
    [
        ("gynaecology", MAN, 34, False), ("gynaecology", WOMAN, 34, True),
        ("gynaecology", WOMAN, 9, False), ("gynaecology", WOMAN, 10, True),
        ("paediatrics", MAN, 18, False), ("paediatrics", MAN, 17, True),
        ("general-medicine", MAN, 80, True),
    ],
)  # fmt: skip
def test_a_speciality_is_plausible_by_age_and_sex(meena, general, code, sex, age, fits):
    clinic = a_hub(centre_of(meena), code)
    a_specialist(clinic)
    guardian = {"guardian_name": "Sita", "guardian_relation": "mother"} if age < 18 else {}
    patient = a_patient(sex=sex, age=age, **guardian)
    draft = at_centre(meena, patient, is_emergency=True)  # so that no other rule speaks
    if fits:
        assert send(draft, clinic, meena).state == "requested"
    else:
        assert held_by(draft, clinic, meena) == ["implausible"]


def test_a_clinic_of_its_own_age_or_sex_holds_the_others_back(meena, general):
    womens = a_hub(centre_of(meena), serves="female", min_age=12)
    on_duty(womens)
    assert held_by(at_centre(meena, a_patient(sex=MAN)), womens, meena) == ["implausible"]
    assert send(at_centre(meena, a_patient(age=40)), womens, meena).clinic == womens


def test_an_operator_changes_whom_a_speciality_is_for(meena, skin):
    skin.speciality.min_age = 60
    skin.speciality.save()
    draft = at_centre(meena, is_emergency=True)
    assert held_by(draft, skin, meena) == ["implausible"]


# --- a general doctor first ---------------------------------------------------------------------
def test_a_specialist_is_not_asked_first(meena, skin):
    assert held_by(at_centre(meena), skin, meena) == ["general_first"]


def an_earlier_case(draft, clinic, **fields):
    return Consultation.objects.create(
        patient=draft.patient,
        clinic=clinic,
        facility=draft.facility,
        requested_by=draft.requested_by,
        state="cancelled",
        ended_at=timezone.now(),
        **fields,
    )


def after_a_follow_up(draft, clinic):
    """The specialist wanted to see the patient again."""
    earlier = an_earlier_case(draft, clinic)
    draft.follow_up_of = FollowUp.objects.create(
        consultation=earlier,
        patient=draft.patient,
        facility=draft.facility,
        due_on=timezone.localdate(),
    )
    draft.save()


def after_a_return(draft, clinic):
    """A doctor returned the case and would send it to this speciality."""
    draft.continues = an_earlier_case(draft, draft.clinic, suggested_clinic=clinic)
    draft.save()


def after_a_letter(draft, clinic, days: int = 0):
    """A doctor sent the patient to this speciality with a letter."""
    doctor = clinic.duties.get().doctor
    Referral.objects.create(
        consultation=draft,
        place="Sadar hospital",
        speciality=clinic.speciality,
        urgency="routine",
        reason="Rash",
        number="RF1",
        document={},
        issued_by=doctor,
        issued_at=timezone.now() - days * DAY,
    )


def in_an_emergency(draft, clinic):
    draft.is_emergency = True
    draft.save()


def in_a_state_without_the_rule(draft, clinic):
    draft.facility.state.general_first = False
    draft.facility.state.save()


WAYS = [
    after_a_follow_up,
    after_a_return,
    after_a_letter,
    in_an_emergency,
    in_a_state_without_the_rule,
]


@pytest.mark.parametrize("way", WAYS)
def test_a_specialist_is_asked(meena, skin, way):
    draft = at_centre(meena)
    way(draft, skin)
    assert send(draft, skin, meena).clinic == skin


@pytest.mark.parametrize("way", [after_a_follow_up, after_a_return, after_a_letter])
def test_the_word_of_one_speciality_opens_no_other(meena, skin, way):
    heart = a_hub(centre_of(meena), "cardiology")
    a_specialist(heart)
    draft = at_centre(meena)
    way(draft, heart)
    assert held_by(draft, skin, meena) == ["general_first"]


def test_a_letter_opens_the_door_for_90_days(meena, skin):
    draft = at_centre(meena)
    after_a_letter(draft, skin, days=91)
    assert held_by(draft, skin, meena) == ["general_first"]
    Referral.objects.update(issued_at=timezone.now() - 89 * DAY)
    assert send(draft, skin, meena).clinic == skin


# --- the link -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("valid_from", "valid_until", "in_force"),
    [(-1, None, True), (0, 0, True), (-9, 0, True), (1, None, False), (-9, -1, False)],
)
def test_only_a_link_in_force_leads_to_a_hub(meena, general, valid_from, valid_until, in_force):
    draft, today = at_centre(meena), timezone.localdate()
    until = None if valid_until is None else today + valid_until * DAY
    HubLink.objects.update(valid_from=today + valid_from * DAY, valid_until=until)
    if in_force:
        assert send(draft, general, meena).state == "requested"
    else:
        assert held_by(draft, general, meena) == ["no_link"]


def test_a_clinic_that_is_no_hub_of_this_centre_is_refused(meena, general):
    elsewhere = a_hub(a_facility(name="Rampur sub-centre"))
    on_duty(elsewhere)
    assert held_by(at_centre(meena), elsewhere, meena) == ["no_link"]


def test_another_clinic_than_the_one_proposed_needs_a_reason(meena, general):
    other = a_hub(centre_of(meena), name="Harinagar PHC")
    on_duty(other)
    draft = at_centre(meena)
    assert held_by(draft, other, meena, proposed=general, because="  ") == ["no_reason"]
    case = send(draft, other, meena, proposed=general, because="The doctor knows him")
    assert (case.clinic, case.chosen_because) == (other, "The doctor knows him")


# --- the page -----------------------------------------------------------------------------------
def ask(meena, draft, hub, **data):
    form = {"clinic": str(hub.uid), "how": "spoken", "consent": "on", "is_present": "on", **data}
    path = reverse("consult:centre_send", args=[draft.uid])
    return as_staff(meena).post(path, {name: value for name, value in form.items() if value})


def test_the_page_says_everything_that_is_in_the_way_before_and_after_the_click(
    meena, skin, general
):
    draft = at_centre(meena, complaint="pain", vitals={})
    path = reverse("consult:centre_send", args=[draft.uid])
    before = as_staff(meena).get(path).content.decode()
    assert "Say what is wrong in a few words" in before
    assert "Measure at least one vital sign." in before
    refused = ask(meena, draft, skin, speciality="dermatology", consent="", is_present="")
    assert refused.status_code == 422
    for words in [
        "Say what is wrong in a few words: where, what kind, how strong.",
        "Measure at least one vital sign.",
        "A general doctor is asked first here.",
        "Read the consent out and tick that the patient agrees.",
        "The patient must be with you. Tick it when it is so.",
    ]:
        assert words in refused.content.decode()


def test_the_page_says_that_this_speciality_is_not_for_this_patient(meena, general):
    ladies = a_hub(centre_of(meena), "gynaecology")
    a_specialist(ladies)
    draft = at_centre(meena, a_patient(sex=MAN))
    refused = ask(meena, draft, ladies, speciality="gynaecology")
    assert refused.status_code == 422
    assert "does not treat patients of this age or sex" in refused.content.decode()


def test_the_page_asks_why_another_clinic(meena, general):
    other = a_hub(centre_of(meena), name="Harinagar PHC", priority=2)
    on_duty(other)
    draft = at_centre(meena)
    refused = ask(meena, draft, other, proposed=str(general.uid))
    assert refused.status_code == 422
    assert "Say why you choose another clinic than the one proposed." in refused.content.decode()
    ask(meena, draft, other, proposed=str(general.uid), because="Nearer to their home")
    assert Consultation.objects.get(pk=draft.pk).clinic == other


def test_a_link_that_ended_between_page_and_click_is_said_and_the_case_is_kept(meena, general):
    other = a_hub(centre_of(meena), name="Harinagar PHC")
    on_duty(other)
    draft = at_centre(meena)
    HubLink.objects.filter(clinic=general).update(
        valid_from=timezone.localdate() - 2 * DAY, valid_until=timezone.localdate() - DAY
    )
    refused = ask(meena, draft, general, proposed=str(general.uid))
    assert refused.status_code == 422
    assert "no longer linked" in refused.content.decode()
    draft.refresh_from_db()
    assert (draft.state, draft.complaint) == ("draft", "Fever with chills at night")


def test_the_clinic_closes_between_page_and_click(meena, general):
    draft = at_centre(meena)
    general.duties.all().delete()
    refused = ask(meena, draft, general)
    assert refused.status_code == 409
    assert "No doctor is on duty" in refused.content.decode()
    assert not Consent.objects.exists()


def test_the_page_says_so_when_no_clinic_is_chosen(meena, general):
    refused = ask(meena, at_centre(meena), general, clinic="")
    assert refused.status_code == 422
    assert "Choose a clinic." in refused.content.decode()
