"""docker-compose.yml without Docker: its schema, and what must hold whoever edits it."""

import json
import re
from importlib.resources import files
from itertools import pairwise
from typing import Any

import jsonschema
import pytest
from django.utils.module_loading import import_string

from deploy.trial import ROOT, VARIABLE, NotSet, compose, filled

OURS = ["migrate", "web", "live", "worker-sms", "worker-pdf", "beat"]
SECRETS = ["SECRET_KEY", "CODE_PEPPER", "POSTGRES_PASSWORD", "TURN_SECRET"]
# Settings that a container never gets: for one machine, for a demonstration, or set in the image.
NOT_FOR_CONTAINERS = {"DEMO", "EMBEDDED", "DEBUG", "VAR_DIR", "FILES_DIR", "DATABASE_KEEP"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return compose()["services"]


def variables_of_the_settings() -> set[str]:
    names: set[str] = set()
    for name in ("settings.py", "env.py"):
        text = (ROOT / "esanjeevani" / name).read_text()
        names |= set(re.findall(r"\b(?:flag|text|number|needed)\(\s*\"([A-Z_]+)\"", text))
    return names


def test_it_follows_the_compose_schema():
    vendor = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(compose(), json.loads(vendor.read_text()))


@pytest.mark.parametrize("secret", SECRETS)
def test_it_refuses_to_start_without_a_secret(secret):
    variables = dict.fromkeys([*SECRETS, "SITE_URL", "SMS_BACKEND"], "given")
    text = (ROOT / "docker-compose.yml").read_text()
    filled(text, variables)
    with pytest.raises(NotSet, match=secret):
        filled(text, variables | {secret: ""})


def test_every_service_says_whether_it_is_healthy(services):
    silent = {name for name, service in services.items() if "test" not in service["healthcheck"]}
    assert silent == {"migrate"}


def test_every_service_starts_again_by_itself_but_the_one_that_ends(services):
    assert {name for name, service in services.items() if service["restart"] == "no"} == {"migrate"}


def test_no_service_can_write_to_its_root(services):
    assert all(service["read_only"] for service in services.values())


@pytest.mark.parametrize("name", OURS)
def test_our_processes_have_no_rights_of_root(services, name):
    assert services[name]["cap_drop"] == ["ALL"]
    assert services[name]["security_opt"] == ["no-new-privileges:true"]


def test_only_the_proxy_and_coturn_are_reached_from_outside(services):
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    hosts = [name for name, service in services.items() if service.get("network_mode") == "host"]
    assert hosts == ["coturn"]
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["inside"]
    assert compose()["networks"]["inside"] == {"internal": True}


def test_what_uses_the_tables_waits_for_the_migration(services):
    for name in set(OURS) - {"migrate"}:
        waits = services[name]["depends_on"]["migrate"]
        assert waits == {"condition": "service_completed_successfully"}, name


@pytest.mark.parametrize("name", OURS)
def test_every_setting_reaches_every_container(services, name):
    missing = variables_of_the_settings() - NOT_FOR_CONTAINERS - set(services[name]["environment"])
    assert missing <= {"DATABASE_POOL"}


@pytest.mark.parametrize("name", OURS)
def test_no_container_is_a_demonstration(services, name):
    assert not {"DEMO", "EMBEDDED", "DEBUG"} & set(services[name]["environment"])


def test_the_example_has_a_sentence_for_each_variable():
    used = {match[1] for match in VARIABLE.finditer((ROOT / "docker-compose.yml").read_text())}
    used |= set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    lines = (ROOT / ".env.example").read_text().splitlines()
    explained = {
        match[1]
        for above, line in pairwise(lines)
        if (match := re.match(r"#?\s?([A-Z_]+)=", line)) and above.startswith("# ")
    }
    assert (used | variables_of_the_settings()) - {None} <= explained


def test_the_example_gives_no_secret():
    for secret in SECRETS:
        assert re.search(rf"^{secret}=$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_the_image_takes_nothing_but_what_it_runs():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    for path in re.findall(r"^!(.*)$", "\n".join(lines), re.MULTILINE):
        assert (ROOT / path).exists(), path


def test_what_a_command_of_the_guide_mounts_lies_over_no_folder_of_the_service(services):
    """Of two at one place Compose takes the first: ours, which nobody may write to."""
    guide = (ROOT / "docs" / "deploy.md").read_text()
    mounted = re.findall(r"docker compose run .*-v \S+:(\S+)", guide)
    ours = {volume.split(":")[1] for volume in services["web"]["volumes"]}
    assert mounted
    assert not ours.intersection(mounted)


def test_the_sms_backends_it_names_are_there():
    for name in re.findall(r"accounts\.sms\.\w+", (ROOT / ".env.example").read_text()):
        assert import_string(name)
