"""An address in which nothing varies is looked for once."""

import uuid

import pytest
from django.http import HttpResponse
from django.urls import Resolver404, path

from esanjeevani.addresses import Remembering


def ask(_request, **_kwargs):
    return HttpResponse()


def other(_request):
    return HttpResponse()


def test_each_address_finds_its_own_end():
    ends = Remembering(
        "api/", [path("people/", ask), path("all/", ask, {"all": True}), path("<uuid:one>/", other)]
    )
    ids = [uuid.uuid4(), uuid.uuid4()]
    for _again in range(2):
        assert ends.resolve("api/people/").func is ask
        assert ends.resolve("api/all/").kwargs == {"all": True}
        assert [ends.resolve(f"api/{one}/").kwargs for one in ids] == [{"one": one} for one in ids]
        for wrong in ("api/", "people/", "api/people"):
            with pytest.raises(Resolver404):
                ends.resolve(wrong)
    assert ends.resolve("api/people/") is ends.resolve("api/people/")
