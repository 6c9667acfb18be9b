from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """What every page says about who runs it."""
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SITE_OWNER": settings.SITE_OWNER,
        "HELPLINE": settings.HELPLINE,
        "EMERGENCY_NUMBER": settings.EMERGENCY_NUMBER,
        "DEMO": settings.DEMO,
        "ABDM_IS_ON": bool(settings.ABDM["url"] and settings.ABDM["client_id"]),
        "LANGUAGE_NATIVE": settings.LANGUAGE_NATIVE,
    }
