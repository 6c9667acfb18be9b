"""What a page's own script asks for, in X-Requested-With, instead of a whole page."""

from django.http import HttpRequest


def wants_part(request: HttpRequest) -> bool:
    """A part of it, or what came of a form: the page puts it in (static/js/fragment.js, in_place.js)."""
    return request.headers.get("X-Requested-With") == "fetch"


def is_staying(request: HttpRequest) -> bool:
    """Or all parts that may have changed, of a room that is not left (static/js/stay.js)."""
    return wants_part(request) or request.headers.get("X-Requested-With") == "stay"
