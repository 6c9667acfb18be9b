"""The service's settings, with one more page: claim_page.py."""

from esanjeevani.settings import *  # noqa: F403

ROOT_URLCONF = "bench.claim_page"
