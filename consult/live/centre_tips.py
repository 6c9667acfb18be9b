"""What each open page of a health centre should know: how far its open cases are, and what moved besides.

Asked when a page comes, when something was said to have changed, and every few seconds for all pages
of a process in one statement (consult/live/tips.py): so it is SQL by hand, short to compose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.db.models.expressions import Combinable
from django.db.models.functions import Now, TruncDate
from django.utils import timezone

from consult.models import Consultation, SharedProfile
from esanjeevani.live.hub import Message
from esanjeevani.postgresql.statements import Asked
from esanjeevani.sql.any_of import in_shares, with_places
from esanjeevani.sql.composed import Question, together
from esanjeevani.sql.prepared import ask
from esanjeevani.today import midnight

# A line for each open case, one for what was settled today, one for who scanned the centre's code today.
NEWS = """
SELECT one.facility_id, one.id, one.clinic_id, token.id, COALESCE(token.state, one.state),
  COALESCE(token.passes, 0),
  (SELECT COUNT(*) FROM consult_instruction asked
   WHERE asked.consultation_id = one.id AND asked.done_at IS NULL)
FROM consult_consultation one LEFT JOIN queue_token token ON token.id = one.token_id
WHERE one.facility_id IN ({places}) AND one.state IN ('requested', 'in_progress')
UNION ALL
SELECT facility_id, 0, NULL, NULL, 'settled', COUNT(*), 0 FROM consult_consultation
WHERE facility_id IN ({places}) AND settled_at >= %s GROUP BY facility_id
UNION ALL
SELECT facility_id, 0, NULL, NULL, 'shared', COUNT(*), COUNT(taken_at) FROM consult_sharedprofile
WHERE facility_id IN ({places}) AND day = %s GROUP BY facility_id
ORDER BY 1, 2, 5
"""
TODAY_AT_MOST = timedelta(days=2)  # wherever the centre's midnight is, and the database's


def is_told_of_others() -> Combinable:
    """Of a centre's consultation: whether NEWS has a line that is not about it, or had one yesterday.

    Mostly there is none: then nobody need ask.
    """
    here, since = OuterRef("facility"), Now() - TODAY_AT_MOST
    others = Consultation.objects.open().filter(facility=here).exclude(pk=OuterRef("pk"))
    settled = Consultation.objects.filter(facility=here, settled_at__gte=since)
    shared = SharedProfile.objects.filter(facility=here, day__gte=TruncDate(since))
    return Exists(others) | Exists(settled) | Exists(shared)


@dataclass(frozen=True, slots=True)
class CentreTip:
    """How far one health centre's day is, as its pages show it."""

    news: tuple[str, ...] = ()  # a case's begins with its consultation's key; no words, no names
    places: frozenset[tuple[int, int]] = frozenset()  # clinic and token of whoever is in a line

    def as_message(self, kind: str) -> Message:
        """ "hello" when the page comes, "centre" after a change, "now" when that was not heard of."""
        return {"type": kind, "news": self.news}

    def besides(self, consultation_id: int | None) -> tuple[str, ...]:
        """What is new but for one case: the page that is about it shows it by itself."""
        own = f"{consultation_id}."
        return tuple(one for one in self.news if not one.startswith(own))


def read_centres(facility_ids: Iterable[int]) -> dict[int, CentreTip]:
    """In one statement for each thousand."""
    ids = set(facility_ids)
    return _tips(ids, (line for share in in_shares(ids) for line in ask(*_asked(share)).rows))


def read_centre(facility_id: int) -> CentreTip:
    (tip,) = together(news_of(facility_id))
    return tip


def news_of(whose: int) -> Question:
    """read_centre() to be asked together with others."""
    asked = _asked([whose])
    return Question(asked, lambda found: _tips({whose}, found)[whose])


def _asked(facility_ids: list[int]) -> Asked:
    text = with_places(NEWS, len(facility_ids))
    since, today = midnight(), timezone.localdate()
    return text, [*facility_ids, *facility_ids, since, *facility_ids, today]


def _tips(facility_ids: set[int], lines: Iterable[Sequence[Any]]) -> dict[int, CentreTip]:
    news: dict[int, list[str]] = {pk: [] for pk in facility_ids}
    places: dict[int, set[tuple[int, int]]] = {pk: set() for pk in facility_ids}
    for facility, pk, clinic, token, *how_far in lines:
        news[facility].append(".".join(map(str, (pk, token, *how_far))))
        if token:
            places[facility].add((clinic, token))
    return {pk: CentreTip(tuple(news[pk]), frozenset(places[pk])) for pk in facility_ids}
