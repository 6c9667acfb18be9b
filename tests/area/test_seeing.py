"""An officer's area, and what is seen of it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.area import Area
from accounts.models import District, Doctor, Facility, Post, User
from queues.models import Clinic, Duty, HubLink
from tests.area.officers import a_person, an_officer, page, shown
from tests.factories import as_staff, refused_to

pytestmark = pytest.mark.django_db


def test_an_area_is_the_district_or_the_state_of_an_open_post(land, of_gaya, of_bihar):
    assert Area.of(of_gaya) == Area(frozenset(), frozenset({196}), frozenset({10}))
    assert Area.of(of_bihar) == Area(frozenset({10}), frozenset(), frozenset({10}))
    assert Area.of(a_person(is_superuser=True)).everywhere
    assert not Area.of(land.posts["Belwa"].user)


def test_an_ended_post_takes_the_area_away(land, of_gaya, gaya):
    assert shown(gaya, Facility) == {land.belwa, land.harinagar}
    Post.objects.filter(user=of_gaya).update(ended_at=timezone.now())
    assert shown(gaya, Facility) == set()
    assert gaya.get(page(land.belwa)).status_code == 404


def test_an_officer_of_a_facility_without_a_district_has_no_area(land):
    nowhere = Facility.objects.create(name="Nowhere", kind="phc", state=land.bihar)
    assert not Area.of(an_officer(nowhere))


# --- seeing -------------------------------------------------------------------------------------
def rows_of(land, model, name: str):
    return {
        Facility: lambda: Facility.objects.get(name=name),
        Clinic: lambda: Clinic.objects.get(name=f"{name} clinic"),
        HubLink: lambda: land.links["Belwa" if name == "Harinagar" else name],
        Post: lambda: land.posts["Belwa" if name == "Harinagar" else name],
        Doctor: lambda: land.doctors[name],
        Duty: lambda: Duty.objects.get(doctor=land.doctors[name]),
        User: lambda: land.doctors[name].user,
        District: lambda: Facility.objects.get(name=name).district,
    }[model]()


MODELS = [Facility, Clinic, HubLink, Post, Doctor, Duty, User, District]


@pytest.mark.parametrize("model", MODELS)
def test_an_officer_sees_the_rows_of_the_area_and_no_others(land, gaya, bihar, model):
    near, far, abroad = (rows_of(land, model, name) for name in ("Harinagar", "Ganga", "Lakeside"))
    for client, sees, not_sees in ((gaya, {near}, {far, abroad}), (bihar, {near, far}, {abroad})):
        listed = shown(client, model)
        assert sees <= listed
        assert not not_sees & listed
        for row in sees:
            assert client.get(page(row)).status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["change", "history", "delete"])
def test_a_row_outside_is_404_and_written_down(land, of_gaya, gaya, model, kind):
    row = rows_of(land, model, "Ganga")
    assert gaya.get(page(row, kind)).status_code == 404
    assert gaya.post(page(row, kind), {"post": "yes"}).status_code in ({404, 405})
    assert refused_to(of_gaya)[0] == f"{row._meta.model_name}:{getattr(row, 'uid', row.pk)}"


def test_a_row_that_is_not_there_is_404_and_nobody_is_accused(of_gaya, gaya):
    for key in ("999999", "x"):
        address = reverse("admin:accounts_facility_change", args=[key])
        assert gaya.get(address).status_code == 404
    assert refused_to(of_gaya) == []


def test_a_superuser_sees_everything(land):
    boss = an_officer(land.belwa)
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    client = as_staff(boss)
    for model in MODELS:
        assert shown(client, model) == set(model.objects.all())
        assert client.get(page(rows_of(land, model, "Lakeside"))).status_code == 200
