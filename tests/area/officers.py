"""Officers and their places, and what an officer does in the admin.

The cast: Belwa (sub-centre) and Harinagar (PHC) lie in Gaya, Ganga (hospital) in Patna, both in
Bihar; Lakeside lies in Kerala.
"""

from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import District, Doctor, Facility, Post, User
from accounts.seeding import OFFICERS
from tests.factories import a_doctor, a_phone


def a_facility(name: str, kind: str, district: District) -> Facility:
    return Facility.objects.create(
        name=name, kind=kind, district=district, state=district.state, address="Main Road"
    )


def a_person(**fields) -> User:
    return User.objects.create(**{"phone": a_phone(), "name": "Sunita", "password": "!"} | fields)


def an_officer(facility: Facility, role: str = "nodal_officer") -> User:
    """With a second factor and the rights of the seeded group."""
    user = a_doctor().user
    Doctor.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(is_staff=True, name="Alok Ranjan")
    Post.objects.create(user=user, facility=facility, role=role)
    user.groups.add(Group.objects.get(name=OFFICERS))
    return User.objects.get(pk=user.pk)


def page(row, kind: str = "change") -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}"
    return reverse(name, args=[row.pk] if kind in ("change", "delete", "history") else [])


def shown(client, model) -> set:
    """The rows of a list."""
    answer = client.get(page(model, "changelist"))
    assert answer.status_code == 200
    return set(answer.context["cl"].queryset)


def errors(answer) -> dict:
    assert answer.status_code == 200
    return answer.context["adminform"].form.errors
