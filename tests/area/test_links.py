"""Officers link the spokes of their area to the hubs of their state."""

import pytest
from django.urls import reverse

from accounts.models import Facility
from queues.models import Clinic, HubLink
from tests.area.officers import errors, page

pytestmark = pytest.mark.django_db


def offered(client, model: str, field: str, app: str = "queue") -> set:
    answer = client.get(
        reverse("admin:autocomplete"),
        {"app_label": app, "model_name": model, "field_name": field, "term": ""},
    )
    return {one["text"] for one in answer.json()["results"]}


def test_a_link_offers_spokes_of_the_area_and_hubs_of_the_state(gaya, bihar):
    assert offered(gaya, "hublink", "spoke") == {"Belwa", "Harinagar"}
    assert offered(bihar, "hublink", "spoke") == {"Belwa", "Harinagar", "Ganga"}
    hubs = {"Harinagar clinic", "Ganga clinic", "Bihar OPD"}
    assert offered(gaya, "hublink", "clinic") == offered(bihar, "hublink", "clinic") == hubs


def link(spoke: Facility, clinic: Clinic) -> dict:
    return {"spoke": spoke.pk, "clinic": clinic.pk, "priority": 1, "valid_from": "2026-11-01"}


def test_a_link_is_made_changed_and_taken_away(land, gaya):
    add = reverse("admin:queue_hublink_add")
    assert gaya.post(add, link(land.belwa, land.clinics["Ganga"])).status_code == 302
    made = HubLink.objects.get(spoke=land.belwa, clinic=land.clinics["Ganga"])
    data = link(land.belwa, land.clinics["Ganga"]) | {"priority": 2, "valid_until": "2026-12-01"}
    assert gaya.post(page(made), data).status_code == 302
    made.refresh_from_db()
    assert (made.priority, str(made.valid_until)) == (2, "2026-12-01")
    assert gaya.post(page(made, "delete"), {"post": "yes"}).status_code == 302
    assert not HubLink.objects.filter(pk=made.pk).exists()


def test_no_link_is_posted_for_a_spoke_or_to_a_hub_outside(land, gaya):
    add = reverse("admin:queue_hublink_add")
    before = HubLink.objects.count()
    for spoke, hub, wrong in (
        (land.ganga, "Ganga", "spoke"),
        (land.lakeside, "Ganga", "spoke"),
        (land.belwa, "Lakeside", "clinic"),
    ):
        assert errors(gaya.post(add, link(spoke, land.clinics[hub]))).keys() == {wrong}
    moved = gaya.post(page(land.links["Belwa"]), link(land.ganga, land.clinics["Harinagar"]))
    assert errors(moved).keys() == {"spoke"}
    chosen = {
        "action": "delete_selected",
        "_selected_action": [land.links["Ganga"].pk],
        "post": "yes",
    }
    gaya.post(page(HubLink, "changelist"), chosen)
    assert HubLink.objects.count() == before


def a_clinics_form(clinic: Clinic, *spokes: Facility, **fields) -> dict:
    data = {
        "name": clinic.name, "names": "{}", "speciality": clinic.speciality_id, "is_active": "on",
        "state": clinic.state_id, "district": clinic.district_id or "",
        "facility": clinic.facility_id or "", "serves": "all", "min_age": 0, "max_age": 130,
        "daily_limit": 10, "waiting_limit": 5, "call_window": 120, "usual_minutes": 7,
        "near_ahead": 3, "hours-TOTAL_FORMS": 0, "hours-INITIAL_FORMS": 0,
        "hub_links-TOTAL_FORMS": len(spokes), "hub_links-INITIAL_FORMS": 0,
    }  # fmt: skip
    for row, spoke in enumerate(spokes):
        data |= {
            f"hub_links-{row}-clinic": clinic.pk, f"hub_links-{row}-spoke": spoke.pk,
            f"hub_links-{row}-priority": 1, f"hub_links-{row}-valid_from": "2026-11-01",
        }  # fmt: skip
    return data | fields


def test_a_clinics_page_shows_and_takes_spokes_of_the_area(land, gaya):
    clinic = land.clinics["Harinagar"]
    links = gaya.get(page(clinic)).context["inline_admin_formsets"][1].formset
    assert [form.instance for form in links.initial_forms] == [land.links["Belwa"]]
    assert gaya.post(page(clinic), a_clinics_form(clinic, land.harinagar)).status_code == 302
    refused = gaya.post(page(clinic), a_clinics_form(clinic, land.lakeside))
    assert refused.status_code == 200
    assert refused.context["inline_admin_formsets"][1].formset.errors[0].keys() == {"spoke"}
    assert set(clinic.hub_links.values_list("spoke__name", flat=True)) == {
        "Belwa", "Ganga", "Harinagar",
    }  # fmt: skip
