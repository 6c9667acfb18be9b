"""How clinics stand, as a health centre's pages show it: the same for everybody, so each is kept."""

from dataclasses import replace

from django.utils.safestring import SafeString

from esanjeevani.rendering.kept import kept
from queues.line import Standing


def stands(standing: Standing) -> SafeString:
    """Open or not, how many doctors, who waits, how long."""
    return kept("queue/_standing.html", standing=_facts(standing))


def hub(standing: Standing) -> SafeString:
    """With the speciality and the clinic's name: one row of the hubs."""
    clinic = standing.clinic
    return kept(
        "consult/centre/_hub.html",
        speciality=clinic.speciality.local_name,
        clinic=clinic.local_name,
        standing=_facts(standing),
    )


def _facts(standing: Standing) -> Standing:
    """Without the clinic's row, which may change and still be the same key."""
    return replace(standing, clinic=None)  # type: ignore[arg-type]
