from queues.actions.calls import (
    AlreadyHolding,
    NobodyPresent,
    NotOnDuty,
    answer_call,
    call_next,
    finish_token,
    pass_over,
    pass_unanswered,
    people_near_their_turn,
)
from queues.actions.duties import NotVerified, end_duty, pause_duty, resume_duty, start_duty
from queues.actions.tokens import (
    AlreadyWaiting,
    NoToken,
    expire_old,
    leave_line,
    take_token,
)

__all__ = [
    "AlreadyHolding",
    "AlreadyWaiting",
    "NoToken",
    "NobodyPresent",
    "NotOnDuty",
    "NotVerified",
    "answer_call",
    "call_next",
    "end_duty",
    "expire_old",
    "finish_token",
    "leave_line",
    "pass_over",
    "pass_unanswered",
    "pause_duty",
    "people_near_their_turn",
    "resume_duty",
    "start_duty",
    "take_token",
]
