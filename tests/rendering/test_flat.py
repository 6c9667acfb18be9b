"""Templates laid flat say what Django's own say, page after page, in each language."""

import uuid
from copy import copy
from typing import Any

import pytest
from django.conf import settings as site
from django.template import Context, Engine, engines
from django.template.backends.django import DjangoTemplates
from django.template.loader import get_template
from django.test import Client
from django.test.signals import template_rendered
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext_lazy, override

from accounts.models import Patient
from esanjeevani.rendering.context import other_languages
from esanjeevani.rendering.flat import Flat, read_all
from tests.factories import (
    a_clinic,
    a_draft,
    a_health_worker,
    a_hub,
    a_staff_user,
    as_patient,
    as_staff,
    before_the_screen,
    centre_of,
    in_the_room,
    on_duty,
    sent,
)


class Person:
    """What a template may be given: it is asked for things, calls them, and meets what fails."""

    pk = 7
    sex = Patient.Sex
    scores = {"first": [3, 5], "items": "a key that is a method's name"}

    def name(self) -> str:
        return "<b>Asha</b>"

    def of_age(self, years: int) -> bool:
        return years > 17

    def delete(self) -> str:
        raise AssertionError("a template changes nothing")

    delete.alters_data = True  # type: ignore[attr-defined]

    @property
    def gone(self) -> str:
        raise Patient.DoesNotExist


ANYBODY = {"uid": uuid.uuid4(), "name": "Asha", "count": 1, "shown": "My line"}
SOMEBODY_ELSE = {
    "uid": uuid.uuid4(), "name": "<b>50% R&D</b>", "count": 123_456, "shown": "Privacy",
    "one": Person(), "rows": [{"n": 1}, {"n": 0.5}], "safe": mark_safe("<i>ok</i>"),
    "lazy": gettext_lazy("Sign out"), "user": SimpleLazyObject(Person), "yes": True,
}  # fmt: skip
TEXTS = [
    "{% translate 'Sign out' %}",
    "{% translate \"Today\" context \"the working day\" %}",
    "{% translate 'Sign out' as word %}[{{ word }}]",
    "{% translate shown %}",
    "{% translate 'Sign out'|upper %}",
    "a{% comment %}{% translate 'Sign out' %}{% endcomment %}b{# c #}{% load static %}d",
    "{% autoescape off %}{% blocktranslate %}{{ name }}{% endblocktranslate %}{% endautoescape %}",
    "{% blocktranslate with helpline=name %}100% {{ helpline }}{% endblocktranslate %}",
    "{% blocktranslate trimmed with emergency=name|upper helpline=uid %}"
    "Emergency: call {{ emergency }}. Health helpline: {{ helpline }}.{% endblocktranslate %}",
    "{% blocktranslate %}{{ name }} {{ nothing }}{% endblocktranslate %}",
    "{% blocktranslate %}100% of you{% endblocktranslate %}",
    "{% blocktranslate count n=count %}One{% plural %}{{ n }} of them{% endblocktranslate %}",
    "{% url 'accounts:privacy' %}",
    "{% if yes and not yes %}{% url 'no:such' %}{% endif %}",
    "{% url 'consult:visit' uid %}",
    "{% url 'consult:file' uid uid %}",
    "{% url 'consult:short_link' uid %}",
    "{% url 'consult:check' as page %}[{{ page }}]",
    "{% static 'css/base.css' %}",
    "{% csrf_token %}",
    "{{ name }} {{ count }} {{ uid }} {{ safe }} {{ lazy }} {{ yes }} {{ nothing }} {{ None }}",
    "{% autoescape off %}{{ name }}{% endautoescape %}{{ name|safe }}{{ name|default:'-' }}",
    "{{ one.name }} {{ one.pk }} {{ user.name }} {{ one.nothing }} {{ one.name.upper }}",
    "{{ one.of_age }} {{ one.delete }} {{ one.gone }} {{ one.sex.FEMALE.label }}",
    "{{ one.scores.first.1 }} {{ one.scores.items }} {{ one.scores.keys|length }}",
    "{{ rows.0.n }} {{ rows.7 }} {{ one.sex.FEMALE }}",
    "{% for row in rows %}{{ row.n }}{% if row.n > count %}+{% endif %}{% endfor %}",
    "{% if nothing %}a{% elif nothing == None %}b{% else %}c{% endif %}",
    "{% verbatim %}{% include 'part' %}{{ name }}{% endverbatim %}",
]  # fmt: skip
PARTS = {
    "part": "<p>{{ name }}{% translate 'Privacy' %}</p>",
    "nested": "{% load static %}[{% include 'part' %}|{% include 'part' with name=shown %}]",
    "again": "{{ count }}{% if count %}{% include 'again' with count=0 %}{% endif %}",
    "any": "{% include nothing|default:'part' %}{% include 'part' with name=uid only %}{{ name }}",
    "frame": "{% block one %}first{% endblock %} {% block two-b %}second{% include 'part' %}{% endblock %}",
    "has_blocks": "{% include 'frame' %}{% include 'page' %}",
    "middle": "{% extends 'frame' %}{% block two-b %}{{ block.super }} of the"
    " {% if yes %}{% block three %}middle{% endblock three %}{% endif %}{% endblock %}",
    "page": "{% extends 'middle' %}ignored{% block one %}{{ name }}"
    "{% block four %}4{% endblock %}{% endblock %}",
    "three": '{% extends "middle" %}{% load humanize %}{% block three %}{{ block.super }}'
    "{{ count|intcomma }}{% endblock %}",
    "any_frame": "{% extends frame|default:'frame' %}{% block one %}{{ name }}{% endblock %}",
    "same/name.html": "{% extends 'same/name.html' %}{% block one %}{{ block.super }} ours{% endblock %}",
    "on_same": "{% extends 'same/name.html' %}{% block one %}{{ block.super }} page's{% endblock %}",
}
ANOTHER_FOLDER = {"same/name.html": "{% block one %}theirs{% endblock %}"}
ALL: dict[str, str] = PARTS | {f"text {number}": text for number, text in enumerate(TEXTS)}


def an_engine(loader: str, *, debug: bool = False) -> Engine:
    stored = "django.template.loaders.locmem.Loader"
    folders = [(stored, ALL), (stored, ANOTHER_FOLDER)]
    return Engine(
        loaders=[(loader, folders)],
        builtins=["django.templatetags.i18n", "django.templatetags.static"],
        libraries={
            "humanize": "django.contrib.humanize.templatetags.humanize",
            "static": "django.templatetags.static",
        },
        debug=debug,
    )


PARAMETERS: dict[str, Any] = {"NAME": "djangos", "DIRS": site.TEMPLATES[0]["DIRS"]}
OPTIONS: dict[str, Any] = site.TEMPLATES[0]["OPTIONS"]
OURS = an_engine("esanjeevani.rendering.flat.Loader")
DJANGOS = an_engine("django.template.loaders.cached.Loader")


def said_by(engine: Engine, name: str, values: dict[str, Any]) -> str:
    return engine.get_template(name).render(Context(values))


@pytest.mark.parametrize("name", ALL)
def test_it_says_what_djangos_says_to_one_and_then_to_another(name: str) -> None:
    for language in ("en", "hi", "en"):
        for who in (ANYBODY, SOMEBODY_ELSE):
            with override(language):
                assert said_by(OURS, name, who) == said_by(DJANGOS, name, who)


def test_what_is_the_same_for_everybody_is_one_text() -> None:
    nodes = OURS.get_template("nested").nodelist
    assert [type(node).__name__ for node in nodes] == [
        "TextNode", "Shown", "TextNode", "WithNode", "TextNode",
    ]  # fmt: skip
    assert len(OURS.get_template("text 5").nodelist) == 1


def test_while_developing_templates_are_djangos_whose_errors_say_where() -> None:
    developing = an_engine("esanjeevani.rendering.flat.Loader", debug=True)
    assert not isinstance(developing.get_template("page").nodelist, Flat)
    assert isinstance(OURS.get_template("page").nodelist, Flat)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "hi"])
def test_a_whole_page_is_what_django_makes_of_the_same_context(language: str) -> None:
    clinic, meena, boss = a_clinic(), a_health_worker(), a_staff_user("Ravi Das")
    hub = a_hub(centre_of(meena))
    rao, treating = on_duty(hub), on_duty(clinic)
    boss.is_staff = boss.is_superuser = True
    boss.save()
    seen, waits = before_the_screen(meena, hub, rao), sent(meena, hub)
    at_home = in_the_room(clinic, treating)
    options = {name: value for name, value in OPTIONS.items() if name != "loaders"}
    djangos = DjangoTemplates(PARAMETERS | {"APP_DIRS": True, "OPTIONS": options}).engine
    for client, path in (
        (Client(), "/privacy/"),
        (as_patient(a_draft(clinic).patient.account), "/patients/"),
        (as_staff(treating.user), f"/doctor/consultations/{at_home.uid}/"),
        (as_staff(rao.user), "/doctor/"),
        (as_staff(meena), "/centre/"),
        (as_staff(meena), "/centre/patients/new/"),
        (as_staff(meena), f"/centre/consultations/{waits.uid}/"),
        (as_staff(meena), f"/centre/consultations/{seen.uid}/"),
        (as_staff(boss), "/admin/"),
        (as_staff(boss), "/admin/accounts/facility/add/"),
    ):
        for flat, context, said_in in rendered_by(client, path, language):
            context.template = djangos.get_template(flat.name)
            with override(said_in):
                assert flat.nodelist.render(context) == context.template.render(context)


def rendered_by(client: Client, path: str, language: str) -> list[tuple[Any, Any, str]]:
    """The templates that the page is made of, each with its context as it was and the language in force."""
    rendered = []

    def note(template: Any, context: Any, **_about: Any) -> None:
        if isinstance(template.nodelist, Flat):
            rendered.append((template, copy(context), get_language()))

    template_rendered.connect(note)
    try:
        answer = client.get(path, headers={"Accept-Language": language})
    finally:
        template_rendered.disconnect(note)
    assert answer.status_code == 200
    assert rendered
    return rendered


def test_a_form_carries_the_key_of_the_page() -> None:
    (number,) = [name for name, text in ALL.items() if text == "{% csrf_token %}"]
    written = '<input type="hidden" name="csrfmiddlewaretoken" value="k1">'
    assert said_by(OURS, number, {"csrf_token": "k1"}) == written
    assert said_by(OURS, number, {}) == ""


@pytest.mark.parametrize("language", [code for code, _name in site.LANGUAGES])
def test_a_page_offers_each_language_but_its_own(language: str) -> None:
    with translation.override(language):
        offered = other_languages()
    others = [code for code, _name in site.LANGUAGES if code != language]
    assert [code for code in site.LANGUAGE_NATIVE if f'value="{code}"' in offered] == others


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


def test_no_page_is_read_only_when_somebody_opens_it() -> None:
    (loader,) = engines["django"].engine.template_loaders
    loader.reset()
    read_all()
    kept = len(loader.get_template_cache)
    for language, _name in site.LANGUAGES:
        with translation.override(language):
            get_template("consult/doctors_room.html")
            get_template("consult/centre/day.html")
    assert len(loader.get_template_cache) == kept
