"""What a page of a room may say up its socket: checked and limited.

Most of it is for other pages of the call and is passed on (seat.py). To the server alone a page says
what it got so far, that it needs the servers' names anew, and a message for the talk (talk.py).
"""

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from consult.models import ChatMessage
from consult.people import Role

MAX_SIGNAL = 16_384  # characters; Chromium's offer of sound and picture has about 6,000
LONGEST_SAID = MAX_SIGNAL * 2  # characters; what is longer is no slip
MAX_CANDIDATE = 1_024
BURST, PER_SECOND = 120, 20  # messages; an ICE restart with three others takes about 60
COST_OF_ASKING = 20  # what reads or writes the database
COST_OF_WRITING = 10  # messages of the talk: twelve at once, then two a second
LONGEST_CALL = 86_400  # seconds
PAGE = re.compile(r"[A-Za-z0-9]{8,24}")
SEATS = frozenset(Role.values)


class NotASignal(Exception):
    """What came up the socket is nothing that a page may say."""


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest


def _is_words(value: Any) -> bool:
    """What else it must be says the same shape as for a request (talk.py)."""
    return _is_text(value, ChatMessage.MAX_TEXT)


def _is_page(value: Any) -> bool:
    return isinstance(value, str) and PAGE.fullmatch(value) is not None


def _is_seat(value: Any) -> bool:
    return isinstance(value, str) and value in SEATS


def _is_candidate(value: Any) -> bool:
    """As RTCIceCandidate.toJSON() writes it; null or an empty text says that there are no more."""
    if value is None:
        return True
    if not isinstance(value, dict) or len(value) > 5:
        return False
    return all(
        isinstance(name, str)
        and (
            part is None
            or isinstance(part, int)
            or (isinstance(part, str) and len(part) <= MAX_CANDIDATE)
        )
        for name, part in value.items()
    )


def _is_media(value: Any) -> bool:
    """What this side sends and wants: a few words, each true or false."""
    return (
        isinstance(value, dict)
        and value.keys() == MEDIA
        and all(isinstance(part, bool) for part in value.values())
    )


def _is_got(value: Any) -> bool:
    """By seat: the whole seconds of video and of sound that came from there."""
    return (
        isinstance(value, dict)
        and 0 < len(value) <= len(SEATS)
        and all(seat in SEATS and _is_pair(pair) for seat, pair in value.items())
    )


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(part) is int and 0 <= part <= LONGEST_CALL for part in value)
    )


MEDIA = {"sound", "video", "wants_video", "weak", "rtc"}
SDP = {"sdp": lambda value: _is_text(value, MAX_SIGNAL) and value.isascii()}  # as browsers write it
# What a page may say, and what each part of it must be. "to" and "for" are checked for all but join.
SAYS: dict[str, dict[str, Any]] = {
    "join": {"page": _is_page, "media": _is_media},
    "here": {"media": _is_media},
    "offer": SDP,
    "answer": SDP,
    "candidate": {"candidate": _is_candidate},
    "media": {"media": _is_media},
    "got": {"got": _is_got},
    "servers": {},
    "write": {"client_id": _is_words, "text": _is_words},
    "bye": {},
    "ping": {},
}
COSTS = {"write": COST_OF_WRITING, **dict.fromkeys(["join", "got", "servers"], COST_OF_ASKING)}
TO_ONE = {"here", "offer", "answer", "candidate"}
ADDRESS = {"to": _is_seat, "for": _is_page}


def read_signal(text: str | None) -> dict[str, Any]:
    """The checked message. Raises NotASignal; parts that nobody knows are not passed on."""
    if text is None or len(text) > LONGEST_SAID:
        raise NotASignal
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise NotASignal from None
    if not isinstance(said, dict) or not isinstance(said.get("say"), str):
        raise NotASignal
    parts = SAYS.get(said["say"])
    if parts is None:
        raise NotASignal
    if said["say"] in TO_ONE:
        parts = parts | ADDRESS
    if not all(name in said and is_good(said[name]) for name, is_good in parts.items()):
        raise NotASignal
    return {"say": said["say"]} | {name: said[name] for name in parts}


@dataclass
class Bucket:
    """How many messages one connection may still send: BURST, and PER_SECOND more with time."""

    left: float = BURST
    at: float = field(default_factory=time.monotonic)

    def take(self, cost: int) -> bool:
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.at) * PER_SECOND)
        self.at = now
        if self.left < cost:
            return False
        self.left -= cost
        return True
