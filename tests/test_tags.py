"""Template tags of ours say what Django's say, page after page."""

import pytest
from django.conf import settings
from django.template import Context, Engine
from django.test import Client
from django.utils import translation

from esanjeevani.context import other_languages
from esanjeevani.tags import Known

FRAME = "{% block one %}first{% endblock %} {% block two %}second{% endblock %}"
PAGES = {
    "frame": FRAME,
    "middle": "{% extends 'frame' %}{% block two %}{{ block.super }} of the middle{% endblock %}",
    "page": "{% extends 'middle' %}{% block one %}{{ word }}{% endblock %}",
    "other": "{% extends 'frame' %}{% block two %}other{% endblock %}",
}


def engine(builtins: list[str]) -> Engine:
    template = "django.template.loaders.locmem.Loader"
    cached = [("django.template.loaders.cached.Loader", [(template, PAGES)])]
    return Engine(loaders=cached, builtins=builtins)


def test_pages_in_one_frame_keep_their_own_blocks() -> None:
    ours, djangos = engine(["esanjeevani.tags"]), engine([])
    for name in ("page", "other", "page", "middle"):
        said = [one.get_template(name).render(Context({"word": name})) for one in (ours, djangos)]
        assert said[0] == said[1]
    assert isinstance(ours.get_template("frame").nodelist, Known)


def test_a_form_carries_the_key_of_the_page() -> None:
    field = engine(["esanjeevani.tags"]).from_string("{% csrf_token %}")
    written = '<input type="hidden" name="csrfmiddlewaretoken" value="k1">'
    assert field.render(Context({"csrf_token": "k1"})) == written
    assert field.render(Context()) == ""


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_a_page_offers_each_language_but_its_own(language: str) -> None:
    with translation.override(language):
        offered = other_languages()
    others = [code for code, _name in settings.LANGUAGES if code != language]
    assert [code for code in settings.LANGUAGE_NATIVE if f'value="{code}"' in offered] == others


@pytest.mark.django_db
def test_a_language_is_chosen_on_any_page_and_leads_back_to_it() -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/check/?a=1&b=2").content.decode()
    assert '<input type="hidden" name="next" value="/check/?a=1&amp;b=2">' in page
    key = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    chosen = {"language": "hi", "next": "/check/?a=1&b=2", "csrfmiddlewaretoken": key}
    answer = client.post("/language/", chosen, follow=True)
    assert answer.redirect_chain == [("/check/?a=1&b=2", 302)]
    assert '<html lang="hi"' in answer.content.decode()
