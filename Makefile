# What one does with this project. `make` alone lists it.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
ARGS ?=
LANGUAGES := hi

PY := .venv/bin/python
PIP := $(PY) -m pip --quiet --disable-pip-version-check install --require-hashes
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))
WITH_SERVICES := deploy/with-services
MESSAGES := makemessages $(LANGUAGES:%=-l %) --no-obsolete --add-location file \
	--ignore tests --ignore bench --ignore deploy --ignore var

# Settings as in production, for the check that looks at them; none of it is a secret of anybody.
PRODUCTION := EMBEDDED=0 DEMO=0 DEBUG=0 SITE_URL=https://example.org TRUSTED_PROXIES=1 \
	SECRET_KEY=0123456789-abcdefghijklmnopqrstuvwxyz-only-for-this-check CODE_PEPPER=pepper \
	DATABASE_URL=postgres://nobody@127.0.0.1/none REDIS_URL=redis://127.0.0.1:6379/0 \
	TURN_URLS=turn:example.org:3478 TURN_SECRET=secret \
	SMS_BACKEND=accounts.sms.HttpJsonBackend SMS_HTTP_URL=https://example.org/sms

.DEFAULT_GOAL := help
.PHONY: help run test test-services test-all faults check lint types layers migrations deployable \
	translations messages lock services bench growth load day waits measure-call try-commands

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

# --- the site and its tests ---------------------------------------------------------------------
run: export DEMO = 1
run: export SITE_URL ?= http://127.0.0.1:$(PORT)
run: .venv/runtime $(CATALOGUES) ## The whole site on this machine, with demonstration data
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py seed
	$(PY) manage.py formulary
	$(PY) manage.py signing_keys --demonstration
	$(PY) manage.py demo
	$(PY) manage.py serve --host $(HOST) --port $(PORT)

# With arguments, or with servers that two runs cannot share, there is one run; else three side by side.
test test-services: export EMBEDDED = 1
test: .venv/dev $(CATALOGUES) ## The tests, on what DATABASE_URL, REDIS_URL and CHROMIUM offer; ARGS="-k token"
	@$(PY) -m $(if $(ARGS)$(DATABASE_URL)$(REDIS_URL),pytest $(ARGS),tests.side_by_side)

test-services: .venv/dev $(CATALOGUES) ## The tests on PostgreSQL, Redis and coturn, started for them
	@$(if $(ARGS),$(WITH_SERVICES) -- $(PY) -m pytest $(ARGS),$(PY) -m tests.side_by_side $(WITH_SERVICES) --)

test-all: check test test-services ## Everything that CI runs

bench: export EMBEDDED = 1
bench: .venv/dev $(CATALOGUES) ## Requests per second and CPU per request on this machine
	@$(WITH_SERVICES) -- $(PY) -m bench $(ARGS)

load: export EMBEDDED = 1
load: .venv/dev $(CATALOGUES) ## A day's people against the running site, and the invariants; ARGS="--rate 1 --seconds 60"
	@$(WITH_SERVICES) -- $(PY) -m bench.load $(ARGS)

waits: .venv/dev ## Was the wait that people were told the one that came? A simulation; ARGS="--days 20"
	@$(PY) -m bench.waits $(ARGS)

day: export EMBEDDED = 1
day: .venv/dev $(CATALOGUES) ## How much of a day of 90,000 consultations this machine carries; ARGS="--minutes 8"
	@$(WITH_SERVICES) -- $(PY) -m bench.load.day $(ARGS)

growth: export EMBEDDED = 1
growth: .venv/dev $(CATALOGUES) ## Plans and sizes at a million rows waiting and a million served
	@$(WITH_SERVICES) -- $(PY) -m bench.growth $(ARGS)

measure-call: export EMBEDDED = 1
measure-call: .venv/dev $(CATALOGUES) ## How fast a call begins and comes back; needs Chromium, coturn and root
	@$(WITH_SERVICES) -- $(PY) -m pytest -q -s -rs --no-header tests/browser/measure_call.py

faults: export EMBEDDED = 1
faults: .venv/dev $(CATALOGUES) ## Kills and pauses every part of the service under load, half an hour; ARGS="-k redis"
	@$(WITH_SERVICES) -- $(PY) -m pytest -rA --no-header tests/faults/every_case.py $(ARGS)

# --- checks -------------------------------------------------------------------------------------
check: lint types layers migrations deployable translations ## All checks that need no running service

lint: .venv/dev ## Style and likely mistakes (ruff)
	.venv/bin/ruff check --quiet --output-format concise
	.venv/bin/ruff format --quiet --check

types: export EMBEDDED = 1
types: .venv/dev ## Types (mypy)
	.venv/bin/mypy

layers: .venv/dev ## Who may import whom (import-linter)
	.venv/bin/lint-imports --no-logo

migrations: .venv/dev ## Every change of a model has its migration
	EMBEDDED=1 DATABASE_URL=sqlite://:memory: $(PY) manage.py makemigrations --check --dry-run

deployable: .venv/dev ## Django's own check of production settings
	@echo "manage.py check --deploy"
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

translations: .venv/dev ## Every text is in the catalogues, translated
	$(PY) .ci/translations.py $(MESSAGES)

# --- now and then -------------------------------------------------------------------------------
messages: .venv/dev ## Collects new texts into locale/ (needs gettext)
	EMBEDDED=1 $(PY) manage.py $(MESSAGES)

lock: .venv/dev ## Pins all versions with hashes; ARGS=--upgrade for newer ones
	UV_CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/uv pip compile --quiet --universal \
		--python-version 3.11 --generate-hashes $(ARGS) pyproject.toml -o requirements.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/uv pip compile --quiet --universal \
		--python-version 3.11 --generate-hashes $(ARGS) --group dev --constraint requirements.txt \
		pyproject.toml -o requirements-dev.txt

services: ## PostgreSQL, Redis and coturn for development until Ctrl-C; KEEP=folder keeps the data
	@$(WITH_SERVICES) $(if $(KEEP),--keep $(KEEP)) -- sh -c '\
		echo "export DATABASE_URL=$$DATABASE_URL REDIS_URL=$$REDIS_URL"; \
		echo "export TURN_URLS='$$TURN_URLS' TURN_SECRET=$$TURN_SECRET"; \
		echo "Ctrl-C stops them."; exec sleep infinity' || true

try-commands: .venv/dev $(CATALOGUES) ## Runs every command of docker-compose.yml here, without Docker
	@$(WITH_SERVICES) -- $(PY) -m deploy.try_commands

# --- files --------------------------------------------------------------------------------------
# The stamp is written last: an environment that failed half-way is made again.
.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed; say which one with PYTHON=...")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: requirements.txt | .venv/made
	$(PIP) -r $<
	@touch $@

.venv/dev: requirements-dev.txt tests/fhir/requirements.txt | .venv/made
	$(PIP) -r $<
	$(PIP) --no-deps --ignore-requires-python --upgrade --target .venv/fhir -r tests/fhir/requirements.txt
	@touch $@

locale/%/LC_MESSAGES/django.mo: locale/%/LC_MESSAGES/django.po | .venv/made
	@.venv/bin/pybabel --quiet compile --input-file $< --output-file $@ --locale $*
