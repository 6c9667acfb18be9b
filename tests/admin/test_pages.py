"""The admin: its lists and pages open, cost the same for many rows, and change nothing clinical."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.acting import page
from tests.admin.rows import (
    MAKERS,
    READ_ONLY,
    make_attachment,
    make_chat_message,
    make_clinic,
    make_consent,
    make_doctor,
    make_follow_up,
    make_grievance,
    make_instruction,
    make_note,
    make_observation,
    make_opinion,
    make_patient,
    make_prescription,
    make_referral,
    make_state,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("make", MAKERS)
def test_a_list_costs_the_same_for_one_row_and_for_three(boss_client, make):
    address = page(make(), "changelist")
    boss_client.get(address)  # fills what is remembered between requests
    with CaptureQueriesContext(connection) as one:
        assert boss_client.get(address).status_code == 200
    make()
    make()
    with CaptureQueriesContext(connection) as three:
        assert boss_client.get(address).status_code == 200
    assert len(three) == len(one)


@pytest.mark.parametrize("make", MAKERS)
def test_every_page_opens(boss_client, make):
    row = make()
    assert boss_client.get(page(row)).status_code == 200
    assert boss_client.get(page(row, "history")).status_code == 200
    assert boss_client.get(page(row, "changelist"), {"q": "asha 9000 ("}).status_code == 200


@pytest.mark.parametrize("make", MAKERS)
def test_a_list_can_be_filtered_by_each_of_its_filters(boss_client, make):
    response = boss_client.get(page(make(), "changelist"))
    for spec in response.context["cl"].filter_specs:
        for choice in list(spec.choices(response.context["cl"]))[:3]:
            address = page(make(), "changelist") + choice["query_string"]
            assert boss_client.get(address).status_code == 200


@pytest.mark.parametrize("make", READ_ONLY)
def test_nothing_clinical_is_added_changed_or_deleted(boss_client, make):
    row = make()
    assert boss_client.get(page(row)).status_code == 200
    assert boss_client.post(page(row), {"state": "waiting"}).status_code == 403
    assert boss_client.get(page(row, "add")).status_code == 403
    assert boss_client.post(page(row, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    boss_client.post(page(row, "changelist"), chosen)
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", ["Clinic", "Doctor", "Patient", "User", "State", "Grievance"])
def test_what_others_refer_to_is_not_deleted(boss_client, model):
    row = {
        "Clinic": make_clinic, "Doctor": make_doctor, "Patient": make_patient,
        "User": make_user, "State": make_state, "Grievance": make_grievance,
    }[model]()  # fmt: skip
    assert boss_client.post(page(row, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "make",
    [
        make_attachment, make_chat_message, make_consent, make_follow_up, make_instruction,
        make_note, make_observation, make_opinion, make_prescription, make_referral,
    ],
)  # fmt: skip
def test_a_consultation_leads_to_what_belongs_to_it(boss_client, make):
    row = make()
    make()
    link = f"{page(row, 'changelist')}?consultation={row.consultation_id}"
    assert link in boss_client.get(page(row.consultation)).content.decode()
    assert list(boss_client.get(link).context["cl"].queryset) == [row]


def test_every_model_of_ours_is_registered():
    inlines = {
        "ClinicHours", "PrescriptionLine", "DoseRange", "DrugName", "Interaction", "Product",
    }  # fmt: skip
    secrets = {"AccountSession", "KeptAnswer", "AbdmRecord"}
    missing = {
        model.__name__
        for app in ("accounts", "queue", "consult")
        for model in apps.get_app_config(app).get_models()
        if model not in admin.site._registry
    }
    assert missing == inlines | secrets
