"""A superuser, and officers with what they are allowed."""

import pytest
from django.contrib.auth.models import Permission

from accounts.models import Post, User
from tests.admin.acting import sign_in
from tests.admin.rows import make_facility, make_user


@pytest.fixture
def boss() -> User:
    return make_user(name="Nandini", is_staff=True, is_superuser=True)


@pytest.fixture
def boss_client(client, boss):
    sign_in(client, boss)
    return client


@pytest.fixture
def officer():
    """Makes a member of staff with these permissions only, whose area is all of Kerala."""

    def make(*codenames: str) -> User:
        user = make_user(name="Officer", is_staff=True)
        Post.objects.create(user=user, facility=make_facility(), role="state_officer")
        for codename in codenames:
            app, name = codename.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=name)
            )
        return user

    return make
