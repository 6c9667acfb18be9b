from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from esanjeevani.rendering.form_key import form_key
from esanjeevani.rendering.kept import kept


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
        "other_languages": other_languages,
        "csrf_token": SimpleLazyObject(partial(form_key, request)),
    }


def other_languages() -> SafeString:
    """Buttons for those that the page is not in, each by its own name."""
    current, names = get_language(), settings.LANGUAGE_NATIVE.items()
    return kept("_languages.html", languages=tuple(one for one in names if one[0] != current))
