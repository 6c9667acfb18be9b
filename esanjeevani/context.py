from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from esanjeevani.form_key import form_key


def site(request: HttpRequest) -> dict[str, object]:
    """What every page says about who runs it, and the key of its forms."""
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SITE_OWNER": settings.SITE_OWNER,
        "HELPLINE": settings.HELPLINE,
        "EMERGENCY_NUMBER": settings.EMERGENCY_NUMBER,
        "DEMO": settings.DEMO,
        "ABDM_IS_ON": bool(settings.ABDM["url"] and settings.ABDM["client_id"]),
        "LANGUAGE_NATIVE": settings.LANGUAGE_NATIVE,
        "csrf_token": SimpleLazyObject(partial(form_key, request)),
    }
