"""What everything else stands on: names, settings, headers, health, templates, pinned versions."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from tests.factories import PASSWORD, a_phone, a_user, as_patient, as_staff
from tests.running import ROOT, STARTS_WITHIN, free_port

PRODUCTION = {
    "SITE_URL": "https://clinic.example.org",
    "SECRET_KEY": "only-for-this-test-" * 3,
    "CODE_PEPPER": "pepper",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SMS_BACKEND": "accounts.sms.ConsoleBackend",
}
TEMPLATES = sorted(
    path
    for folder in ("templates", "accounts", "queues", "consult")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".html", ".svg"}
)


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `code` with these variables and no others."""
    var_dir = {"VAR_DIR": os.environ["VAR_DIR"], "PATH": os.defpath}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=var_dir | environment,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
    )


def policy_of(answer) -> dict[str, list[str]]:
    """The Content-Security-Policy by directive."""
    directives = [part.split() for part in answer["Content-Security-Policy"].split(";")]
    return {name: values for name, *values in directives}


# --- names --------------------------------------------------------------------------------------
def test_no_package_of_ours_hides_one_of_pythons():
    ours = {path.parent.name for path in ROOT.glob("*/*.py")}
    ours |= {path.stem for path in ROOT.glob("*.py")}
    assert {"accounts", "queues", "consult", "esanjeevani", "manage"} <= ours
    assert ours & sys.stdlib_module_names == set()
    assert "queue" in sys.stdlib_module_names  # why the package is called queues


# --- settings -----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", PRODUCTION)
def test_production_does_not_start_without(name):
    environment = {key: value for key, value in PRODUCTION.items() if key != name}
    done = python("import esanjeevani.settings", **environment)
    assert done.returncode == 1
    assert f"{name} is not set" in done.stderr.splitlines()[-1]


def test_production_starts_safely_with_what_is_needed():
    done = python(
        "from esanjeevani import settings as s\n"
        "print(s.DEBUG, s.DEMO, s.IN_MEMORY, s.CELERY_TASK_ALWAYS_EAGER)\n"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT)\n"
        "print(s.ALLOWED_HOSTS, s.SOCKET_ORIGINS, s.TRUSTED_PROXIES)\n",
        **PRODUCTION,
    )
    assert done.stdout.splitlines() == [
        "False False False False",
        "True True True",
        "['clinic.example.org'] ['https://clinic.example.org'] 0",
    ]


def test_a_number_that_is_none_is_said_by_name():
    done = python("import esanjeevani.settings", **PRODUCTION, TRUSTED_PROXIES="one")
    assert "TRUSTED_PROXIES must be a whole number, not 'one'." in done.stderr.splitlines()[-1]


def test_what_the_databases_address_asks_for_is_heard_beside_what_we_ask_for():
    asked = "?sslmode=require&options=-c%20random_page_cost%3D4"
    done = python(
        "from esanjeevani.settings import DATABASES\n"
        "options = DATABASES['default']['OPTIONS']\n"
        "print(options['sslmode'], options['options'])\n",
        **PRODUCTION | {"DATABASE_URL": PRODUCTION["DATABASE_URL"] + asked},
    )
    assert done.stdout.split()[0] == "require"
    assert "-c plan_cache_mode=force_generic_plan" in done.stdout
    assert done.stdout.strip().endswith("-c random_page_cost=4")  # the last one counts


def test_the_national_network_is_not_joined_without_knowing_its_gateway():
    joins = {"ABDM_URL": "https://gateway.example", "ABDM_CLIENT_ID": "id"}
    joins |= {"ABDM_CLIENT_SECRET": "secret", "ABDM_HIP_ID": "IN3210000017"}
    done = python("import esanjeevani.settings", **PRODUCTION, **joins)
    assert "ABDM_TOKEN_CLAIMS must be too" in done.stderr.splitlines()[-1]
    known = python("import esanjeevani.settings", **PRODUCTION, **joins, ABDM_TOKEN_CLAIMS="azp=cm")
    assert known.returncode == 0, known.stderr


def test_the_demonstrations_pages_are_not_there_in_earnest(client, db):
    assert [client.get(page).status_code for page in ("/demo/", "/demo/sms/")] == [404, 404]


# --- headers ------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", ["/", "/sign-in/", "/patients/", "/no-such-page/"])
def test_a_page_runs_scripts_of_this_site_only_and_none_that_stand_in_it(page, db):
    policy = policy_of(as_patient(a_user()).get(page))
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == ["'self'"]
    assert policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    said = {value for values in policy.values() for value in values}
    assert said & {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} == set()


def test_a_page_is_not_framed_sniffed_cached_or_told_to_others(db):
    page = as_patient(a_user()).get("/patients/")
    assert page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Cache-Control"] == "private, no-store"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=(), microphone=(), geolocation=()" in page["Permissions-Policy"]


def test_cookies_are_not_for_scripts(db):
    browser = as_patient(a_user())
    browser.get("/")
    browser.post("/sign-out/")
    answer = browser.post("/sign-in/", {"phone": "no number"})
    assert answer.status_code == 422
    for name in ("sessionid", "csrftoken"):
        cookie = as_patient(a_user()).get("/patients/").cookies.get(name) or browser.cookies[name]
        assert (name, cookie["httponly"], cookie["samesite"]) == (name, True, "Lax")


def test_the_admin_keeps_the_policy_but_for_trusted_types(db):
    officer = User.objects.create_user(a_phone(), PASSWORD, is_staff=True, is_superuser=True)
    TOTPDevice.objects.create(user=officer, name="app", confirmed=True)
    page = as_staff(officer).get(reverse("admin:index"))
    assert page.status_code == 200
    policy = policy_of(page)
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["default-src"] == policy["frame-ancestors"] == ["'none'"]
    assert {"require-trusted-types-for", "trusted-types"} & set(policy) == set()


def test_a_form_without_its_key_does_nothing_and_says_what_to_do(db):
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"phone": "98765 43210"})
    assert answer.status_code == 403
    assert "Nothing was done." in answer.text


def test_a_buttons_address_opened_without_it_is_answered_in_words(client, db):
    page = client.get("/sign-out/")
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert int(page["Content-Length"]) == len(page.content)
    for words in ("Press the button once more", "बटन एक बार फिर दबाएँ"):
        assert words in page.text


def test_what_cannot_be_read_is_answered_in_words(client, db):
    page = client.get("/", SERVER_NAME="somewhere.example")
    assert page.status_code == 400
    for words in ("This could not be read", "यह पढ़ा नहीं जा सका"):
        assert words in page.text


# --- health -------------------------------------------------------------------------------------
def test_to_be_alive_needs_no_database(client):
    answer = client.get("/healthz")  # pytest-django refuses any query here
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.post("/healthz").status_code == 405


def test_to_be_ready_needs_one_query(client, db, django_assert_num_queries):
    with django_assert_num_queries(1):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_without_redis_it_is_ready_but_degraded(client, db, settings):
    settings.IN_MEMORY = False
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})


def test_without_the_database_it_is_alive_and_not_ready():
    done = python(
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "browser = Client(SERVER_NAME='127.0.0.1')\n"
        "for page in ('/healthz', '/readyz'):\n"
        "    answer = browser.get(page)\n"
        "    print(answer.status_code, answer.content.decode())\n",
        DJANGO_SETTINGS_MODULE="esanjeevani.settings",
        EMBEDDED="1",
        DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/none",
    )
    assert done.stdout.splitlines() == [
        '200 {"status": "ok"}',
        '503 {"status": "down", "database": "away"}',
    ]


# --- templates ----------------------------------------------------------------------------------
def markup_of(path) -> str:
    """The template without its tags, which the browser never sees."""
    return re.sub(r"\{%.*?%\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a script that stands in the page", r"<script\b(?![^>]*\bsrc=)|<script\b[^>]*>(?!</script>)"),
        ("a style sheet that stands in the page", r"<style\b"),
        ("a style of one element", r"[\s\"']style\s*="),
        ("a handler of one element", r"[\s\"']on[a-z]+\s*="),
        ("a script as an address", r"javascript:"),
        ("something from elsewhere", r"(?:src|href|action)=[\"']?(?:https?:)?//"),
    ],
)  # fmt: skip
def test_no_template_has(what, pattern):
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path in TEMPLATES
        if (match := re.search(pattern, markup_of(path), re.IGNORECASE))
    }
    assert found == {}
    assert len(TEMPLATES) > 40


# --- pinned versions ----------------------------------------------------------------------------
PINNED = re.compile(
    r"[a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,_-]+\])?==[^\s;]+(?: ; [^\\]+?)?"
    r"(?: --hash=sha256:[0-9a-f]{64})+"
)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_version_is_pinned_with_hashes_and_comes_from_no_named_place(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    bare = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    pinned = re.sub(r"\\\n\s*", "", bare).splitlines()
    assert [line for line in pinned if not PINNED.fullmatch(line)] == []
    assert len(pinned) > 30
    assert "://" not in "\n".join(lines)


def test_what_runs_is_what_was_tested():
    def versions(name):
        text = Path(ROOT / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9][^=\s\[]*)(?:\[[^\]]*\])?==(\S+)", text, re.MULTILINE))

    runtime, dev = versions("requirements.txt"), versions("requirements-dev.txt")
    assert {name: dev.get(name) for name in runtime} == runtime


def test_the_calls_scripts_stay_light():
    """A village network carries them before the first picture: 25 KB in all, uncompressed."""
    scripts = list((ROOT / "static" / "js" / "call").glob("*.js"))
    assert len(scripts) == 6
    assert sum(path.stat().st_size for path in scripts) <= 25 * 1024
