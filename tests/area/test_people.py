"""Officers give posts, enter doctors and make accounts in their area."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import Doctor, Facility, Post, User
from accounts.seeding import OFFICERS
from tests.area.officers import a_person, errors, page, shown
from tests.factories import PASSWORD, a_doctor, a_phone, a_speciality

pytestmark = pytest.mark.django_db


def a_posts_form(person: User, facility: Facility, **fields) -> dict:
    return {
        "user": person.phone, "role": "health_worker", "facility": facility.pk,
        "started_at_0": "2026-11-01", "started_at_1": "09:00",
        "ended_at_0": "", "ended_at_1": "",
    } | fields  # fmt: skip


def test_a_post_is_given_and_ended(land, gaya):
    person = a_person()
    add = reverse("admin:accounts_post_add")
    typed = {"user": f"0{person.phone[3:8]} {person.phone[8:]}"}
    assert gaya.post(add, a_posts_form(person, land.belwa, **typed)).status_code == 302
    post = Post.objects.at_centres().get(user=person)
    ended = a_posts_form(person, land.belwa, ended_at_0="2026-11-20", ended_at_1="09:00")
    assert gaya.post(page(post), ended | {"user": a_person().phone}).status_code == 302
    assert not Post.objects.at_centres().filter(user=person).exists()
    assert Post.objects.get(pk=post.pk).user == person


@pytest.mark.parametrize("role", ["nodal_officer", "state_officer"])
def test_an_officers_post_is_neither_given_nor_taken_nor_seen(land, of_gaya, gaya, role):
    add = reverse("admin:accounts_post_add")
    assert errors(gaya.post(add, a_posts_form(a_person(), land.belwa, role=role))).keys() == {
        "role"
    }
    post = land.posts["Belwa"]
    assert errors(gaya.post(page(post), a_posts_form(post.user, land.belwa, role=role))).keys() == {
        "role"
    }
    assert gaya.get(page(Post.objects.get(user=of_gaya))).status_code == 404
    assert shown(gaya, Post) == {post}


def test_a_post_outside_to_nobody_or_to_oneself_is_refused(land, of_gaya, gaya):
    add = reverse("admin:accounts_post_add")
    before = Post.objects.count()
    person = a_person()
    for fields, wrong in (
        (a_posts_form(person, land.ganga), "facility"),
        (a_posts_form(person, land.belwa, user="98765 00000"), "user"),
        (a_posts_form(person, land.belwa, user="12"), "user"),
        (a_posts_form(person, land.belwa, user=""), "user"),
        (a_posts_form(of_gaya, land.belwa), "user"),
    ):
        assert errors(gaya.post(add, fields)).keys() == {wrong}
    assert Post.objects.count() == before


def a_doctors_page(person: User, facility: Facility | None, **fields) -> dict:
    return {
        "user": person.phone, "speciality": a_speciality().pk, "qualification": "MBBS",
        "facility": facility.pk if facility else "", "registration_number": "BR-7",
        "council": "Bihar Council", "contact": "0631 000000",
    } | fields  # fmt: skip


def test_a_doctor_is_entered_at_a_facility_of_the_area_only(land, of_gaya, gaya):
    add, person = reverse("admin:accounts_doctor_add"), a_person()
    for facility, who, wrong in (
        (None, person, "facility"), (land.ganga, person, "facility"), (land.belwa, of_gaya, "user"),
    ):  # fmt: skip
        assert errors(gaya.post(add, a_doctors_page(who, facility))).keys() == {wrong}
    assert gaya.post(add, a_doctors_page(person, land.harinagar)).status_code == 302
    doctor = Doctor.objects.get(user=person)
    moved = gaya.post(page(doctor), a_doctors_page(person, land.ganga))
    assert errors(moved).keys() == {"facility"}
    chosen = {"action": "verify", "_selected_action": [doctor.pk, land.doctors["Ganga"].pk]}
    Doctor.objects.update(verified_at=None, verified_by=None)
    gaya.post(page(Doctor, "changelist"), chosen)
    assert list(Doctor.objects.exclude(verified_at=None)) == [doctor]


def test_nobody_verifies_their_own_registration(land, of_gaya, gaya):
    own = a_doctor(facility=land.harinagar, verified=False)
    Doctor.objects.filter(pk=own.pk).update(user=of_gaya)
    gaya.post(page(own, "changelist"), {"action": "verify", "_selected_action": [own.pk]})
    own.refresh_from_db()
    assert own.verified_at is None


def test_a_new_account_has_no_powers_and_leads_to_its_post(land, gaya):
    data = {
        "phone": "098765 43210", "name": "Meena", "language": "hi", "is_staff": "on",
        "is_superuser": "on", "groups": Group.objects.get(name=OFFICERS).pk,
        "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD,
    }  # fmt: skip
    answer = gaya.post(reverse("admin:accounts_user_add"), data)
    meena = User.objects.get(phone="+919876543210")
    assert (meena.is_staff, meena.is_superuser, meena.groups.count()) == (False, False, 0)
    form = gaya.get(answer.url).content.decode()
    assert f'value="{meena.phone}"' in form
    assert gaya.get(page(meena)).status_code == 404  # until it has a post
    gaya.post(answer.url, a_posts_form(meena, land.belwa))
    assert gaya.get(page(meena)).status_code == 200


def test_accounts_are_looked_at_without_their_secrets(land, gaya):
    worker = land.posts["Belwa"].user
    worker.set_password(PASSWORD)
    worker.save()
    answer = gaya.get(page(worker))
    *_how, salt, hashed = worker.password.split("$")
    for secret in (worker.password, salt, hashed):
        assert secret not in answer.content.decode()
    assert gaya.post(page(worker), {"phone": a_phone()}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[worker.pk])
    assert gaya.post(password, {"password1": "x", "password2": "x"}).status_code == 403
