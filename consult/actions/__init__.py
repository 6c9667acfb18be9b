from consult.actions.booking import (
    NothingSaid,
    add_attachment,
    discard_draft,
    remove_attachment,
    request_consultation,
    save_draft,
)
from consult.actions.chat import TooManyFiles, post_message
from consult.actions.prescribing import (
    IssueRefused,
    Line,
    issue_prescription,
    render_prescription,
    revise_prescription,
    save_lines,
    sweep_prescriptions,
)
from consult.actions.room import (
    begin,
    call_next,
    complete,
    leave,
    pass_over,
    return_consultation,
    save_note,
)
from consult.actions.sweeps import sweep_lines
from consult.actions.voices import complain, give_feedback

__all__ = [
    "IssueRefused",
    "Line",
    "NothingSaid",
    "TooManyFiles",
    "add_attachment",
    "begin",
    "call_next",
    "complain",
    "complete",
    "discard_draft",
    "give_feedback",
    "issue_prescription",
    "leave",
    "pass_over",
    "post_message",
    "remove_attachment",
    "render_prescription",
    "request_consultation",
    "return_consultation",
    "revise_prescription",
    "save_draft",
    "save_lines",
    "save_note",
    "sweep_lines",
    "sweep_prescriptions",
]
