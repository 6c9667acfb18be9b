"""One settings file, read from the environment. .env.example has a sentence for each variable."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from esanjeevani import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

# --- what kind of machine this is ---------------------------------------------------------------
DEMO = env.DEMO
DEBUG = env.flag("DEBUG")
SITE_URL = env.needed("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
SECURE = SITE_URL.startswith("https://")
SECRET_KEY = env.needed("SECRET_KEY", "embedded-and-public-never-use-it-on-a-network-of-others")
# Codes are hashed with a secret that a copy of the database alone does not hold.
CODE_PEPPER = env.needed("CODE_PEPPER", SECRET_KEY + "-codes")
ALLOWED_HOSTS = [
    urlsplit(SITE_URL).hostname or "",
    *filter(None, env.text("EXTRA_HOSTS").split(",")),
]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SOCKET_ORIGINS = [SITE_URL, *filter(None, env.text("EXTRA_ORIGINS").split(","))]
# How many proxies stand in front and add to X-Forwarded-For; 0 believes no header.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)

# --- who runs it --------------------------------------------------------------------------------
SITE_NAME = env.text("SITE_NAME", "eSanjeevani Open")
SITE_OWNER = env.text("SITE_OWNER", "Open Telemedicine Demonstration")
HELPLINE = env.text("HELPLINE", "104")
EMERGENCY_NUMBER = env.text("EMERGENCY_NUMBER", "108")

# --- Django -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "esanjeevani.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "channels",
    "accounts",
    "queues.apps.QueueConfig",
    "consult",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "esanjeevani.middleware.PageHeaders",
    "esanjeevani.middleware.RightClock",
    "accounts.address.ClientAddress",
    "esanjeevani.middleware.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "esanjeevani.middleware.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.second_factor.SecondFactor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "esanjeevani.urls"
WSGI_APPLICATION = "esanjeevani.wsgi.application"
ASGI_APPLICATION = "esanjeevani.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "esanjeevani.rendering.context.site",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
            "loaders": [
                (
                    "esanjeevani.rendering.flat.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
        },
    }
]
FORM_RENDERER = "esanjeevani.rendering.forms.Renderer"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- data ---------------------------------------------------------------------------------------
DATABASE_URL = env.needed("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
# Whether PostgreSQL prepares the questions of every request (esanjeevani/sql/prepared.py).
DATABASE_PREPARED = DATABASE_URL.startswith("postgres") and env.flag(
    "DATABASE_PREPARED", default=True
)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
else:
    # A connection that PostgreSQL's restart left dead is noticed before it is used, one whose
    # server vanished from the network within 20 s; nobody waits long for a server that is away.
    DATABASES["default"]["ENGINE"] = "esanjeevani.postgresql"
    asked = DATABASES["default"].get("OPTIONS", {})  # in the URL, as ?sslmode=verify-full
    ours = {"connect_timeout": 5, "tcp_user_timeout": 20_000}
    DATABASES["default"]["OPTIONS"] = ours | asked
    if DATABASE_PREPARED:
        # A plan holds for any values from the first time, not after five for some; and rows are
        # found by their key in a small table too, as in the large one that it will be.
        plans = "-c plan_cache_mode=force_generic_plan -c random_page_cost=1.1"
        DATABASES["default"]["OPTIONS"]["options"] = f"{plans} {asked.get('options', '')}".strip()
    if pool_size := env.number("DATABASE_POOL", 0):
        # Once it is back it is found by the next who asks, not after a pause that has grown.
        pool = {"min_size": 1, "max_size": pool_size, "timeout": 5, "reconnect_timeout": 5}
        DATABASES["default"]["OPTIONS"]["pool"] = pool
    else:
        DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
        DATABASES["default"]["CONN_MAX_AGE"] = env.number("DATABASE_KEEP", 3600)

# What a process remembers for a while, above all the pace of each clinic: a country has thousands.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

REDIS_URL = (
    env.needed("REDIS_URL", "memory") if not env.EMBEDDED else env.text("REDIS_URL", "memory")
)
IN_MEMORY = REDIS_URL == "memory"

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.text("FILES_DIR", str(VAR_DIR / "files")))  # never below the web root
MEDIA_URL = "unused/"
FILE_UPLOAD_PERMISSIONS = 0o600
STORAGES = {
    "default": {"BACKEND": env.text("FILE_STORAGE", "django.core.files.storage.FileSystemStorage")},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if env.EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = env.EMBEDDED
WHITENOISE_AUTOREFRESH = False

# --- tasks --------------------------------------------------------------------------------------
CELERY_BROKER_URL = "memory://" if IN_MEMORY else REDIS_URL
CELERY_TASK_ALWAYS_EAGER = IN_MEMORY
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Celery would end its connections to the database around every task; ours does it itself (celery_app.py).
CELERY_DB_REUSE_MAX = sys.maxsize
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "polling_interval": 4,
    "max_retries": 0,
    "visibility_timeout": 600,
    "priority_steps": [0],  # no task goes before another: one list per queue to wait at, not four
}
# SMS wait on a network, PDFs compute: two queues, so each gets the pool that suits it.
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "accounts.deliver": {"queue": "sms"},
    "consult.render": {"queue": "pdf"},
    "consult.render_small": {"queue": "pdf"},
    # Behind those that wait: what they draw is no longer missing when its turn comes.
    "consult.sweep_prescriptions": {"queue": "pdf"},
    "consult.abdm": {"queue": "sms"},
}
CELERY_BEAT_SCHEDULE = {
    "lines": {"task": "consult.sweep_lines", "schedule": 5.0, "options": {"expires": 5}},
    "outbox": {"task": "accounts.sweep_messages", "schedule": 15.0, "options": {"expires": 15}},
    "pdfs": {"task": "consult.sweep_prescriptions", "schedule": 15.0, "options": {"expires": 15}},
    "consents": {"task": "consult.forget_abdm", "schedule": 60.0, "options": {"expires": 60}},
    "old": {"task": "accounts.sweep_old", "schedule": 3600.0, "options": {"expires": 600}},
}

# --- prescriptions ------------------------------------------------------------------------------
# Private keys are files (manage.py signing_keys), never rows: a copy of the database signs nothing.
SIGNING_KEYS = Path(env.text("SIGNING_KEYS", str(VAR_DIR / "keys")))
SIGNING_KEY_ID = env.text("SIGNING_KEY_ID", "demonstration" if env.EMBEDDED else "key-1")
PDF_CERTIFICATE = Path(env.text("PDF_CERTIFICATE", str(SIGNING_KEYS / "pdf.p12")))
PDF_CERTIFICATE_PASSWORD = env.text("PDF_CERTIFICATE_PASSWORD")

# --- signing in ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.PasswordBackend",
    "accounts.backends.PhoneBackend",
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
PASSWORD_HASHERS = [
    "accounts.hashers.LeanArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
OTP_TOTP_ISSUER = SITE_NAME
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"

# --- SMS ----------------------------------------------------------------------------------------
SMS_BACKEND = env.needed("SMS_BACKEND", "accounts.sms.ConsoleBackend")
SMS_HTTP_URL = env.text("SMS_HTTP_URL")
SMS_HTTP_KEY = env.text("SMS_HTTP_KEY")
if SMS_BACKEND.endswith("HttpJsonBackend") and not SMS_HTTP_URL:
    raise ImproperlyConfigured("SMS_HTTP_URL is not set; HttpJsonBackend sends nowhere without it.")

# --- calls ----------------------------------------------------------------------------------------
# STUN and TURN servers that browsers may use, as RFC 7064 and 7065 spell them; none: only direct calls.
TURN_URLS = [url.strip() for url in env.text("TURN_URLS").split(",") if url.strip()]
# Shared with coturn (static-auth-secret), which checks with it what we hand out.
TURN_SECRET = env.text("TURN_SECRET")
TURN_SECONDS = env.number("TURN_SECONDS", 1800)  # a consultation takes about seven minutes
# All through TURN: neither side learns the other's network address.
TURN_ONLY = env.flag("TURN_ONLY")
if any(url.startswith("turn") for url in TURN_URLS) and not TURN_SECRET:
    raise ImproperlyConfigured("TURN_SECRET is not set; the TURN servers would let nobody in.")

# --- language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("hi", "हिन्दी")]
LANGUAGE_NATIVE = dict(LANGUAGES)  # each by its own name
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["esanjeevani.formats"]

# --- safety -------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF, SITE_URL.replace("http", "ws", 1)],
        "media-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["fragment"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
if SECURE:
    SECURE_SSL_REDIRECT = env.flag("SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "esanjeevani.views.csrf_failure"
# A photo is at most 10 MB; the request around it a little more.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 800  # 40 medicines of 10 fields, and the note
DATA_UPLOAD_MAX_NUMBER_FILES = 10

# --- national identifiers -----------------------------------------------------------------------
# The naming systems of the guide ndhm.in 6.5.0, in the documents that travel.
IDENTIFIER_SYSTEMS = {
    "abha": env.text("ABHA_SYSTEM", "https://healthid.ndhm.gov.in"),
    "hpr": env.text("HPR_SYSTEM", "https://doctor.ndhm.gov.in"),
    "hfr": env.text("HFR_SYSTEM", "https://facility.ndhm.gov.in"),
}

# --- the national gateway -----------------------------------------------------------------------
# Off unless url, id and secret are set. Designed for ABDM; not certified.
ABDM: dict[str, Any] = {
    "url": env.text("ABDM_URL").rstrip("/"),
    "client_id": env.text("ABDM_CLIENT_ID"),
    "client_secret": env.text("ABDM_CLIENT_SECRET"),
    "cm_id": env.text("ABDM_CM_ID", "sbx"),
    "hip_id": env.text("ABDM_HIP_ID"),
    "abha_url": env.text("ABDM_ABHA_URL", env.text("ABDM_URL")).rstrip("/"),
    "share_url": env.text("ABDM_SHARE_URL", "https://phrsbx.abdm.gov.in/share-profile"),
    "token_claims": dict(
        claim.strip().split("=", 1)
        for claim in env.text("ABDM_TOKEN_CLAIMS").split(",")
        if "=" in claim
    ),
}
if ABDM["url"] and not (ABDM["client_secret"] and ABDM["hip_id"]):
    raise ImproperlyConfigured("ABDM_URL is set: ABDM_CLIENT_SECRET and ABDM_HIP_ID must be too.")
if ABDM["url"] and SECURE and not ABDM["token_claims"]:  # else every member passes for the gateway
    raise ImproperlyConfigured("ABDM_URL is set: ABDM_TOKEN_CLAIMS must be too.")
if ABDM["url"]:
    CELERY_BEAT_SCHEDULE["abdm"] = {
        "task": "consult.sweep_abdm", "schedule": 2.0, "options": {"expires": 2},
    }  # fmt: skip

REST_FRAMEWORK: dict[str, object] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.parsing.JsonParser"],
    "EXCEPTION_HANDLER": "esanjeevani.views.api_error",
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.Schema",
}
# Requests a minute of one person, of one facility's machine, and of one address without a key.
API_PER_MINUTE = {
    "person": env.number("API_PER_PERSON", 300),
    "machine": env.number("API_PER_MACHINE", 1200),
    "address": env.number("API_PER_ADDRESS", 120),
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME}: API",
    "DESCRIPTION": "What patients, health workers and doctors do on the pages, for programs: a phone"
    " app, a state's own portal, a device kiosk. The same actions, the same rules.\n\n"
    "Sign in for a token and send it as `Authorization: Bearer …`. Errors are"
    ' `{"code", "message", "fields"}`. Send an `Idempotency-Key` with each POST, and `If-None-Match`'
    " where an answer has an `ETag`. Times are ISO 8601 with their zone.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_PUBLIC": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["accounts.api.schema.only_the_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "consult.api.examples.with_examples",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "Sex": "accounts.models.patients.Patient.Sex",
        "Since": "consult.models.cases.Case.Since",
        "ConsultationState": "consult.models.consultations.Consultation.State",
        "TokenState": "queues.models.tokens.Token.State",
        "ConsentState": "consult.models.abdm.AbdmConsent.State",
        "OpinionState": "consult.models.opinions.Opinion.State",
        "PrescriptionState": "consult.models.prescriptions.Prescription.State",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "httpx": {"level": "WARNING"},
        # Two lines for each task, most of them sweeps: the rows say it better.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "pikepdf": {"level": "WARNING"},
    },
}

# Django's own sentences that people meet most: named here so that our catalogues may say them better.
DJANGO_SAYS = [
    _("This field is required."),
    _("Select a valid choice. That choice is not one of the available choices."),
    _("Enter a whole number."),
    _("Enter a valid date."),
]
