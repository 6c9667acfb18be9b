"""What the actions refuse, as the API says it: a code for programs, the pages' sentence for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.api.base import Refused
from consult import actions
from consult.api.prescription_shapes import RefusalOutput, WarningOutput
from consult.views.centre.send import why_not_ready
from consult.views.doctor.room import why_not_issued
from consult.views.patient.booking import too_many_files, why_no_token
from queues.actions import AlreadyHolding, AlreadyWaiting, NobodyPresent, NoToken, NotOnDuty
from queues.models import MoveRefused

NO_TOKEN = ["closed", "unstaffed", "full", "unsuitable", "already_waiting"]
NOT_ISSUED = [
    "no_diagnosis", "no_lines", "not_verified", "not_yours", "over", "issued", "emergency", "no_age",
    "minor_alone", "no_key", "rules", "warnings",
]  # fmt: skip


@contextmanager
def rules() -> Iterator[None]:
    """Whatever an action refuses inside becomes a 409 with its reason as code."""
    try:
        yield
    except NoToken as error:
        raise Refused(error.reason, why_no_token(error)) from None
    except actions.IssueRefused as error:
        fields = {one.code: [one.sentence] for one in error.refusals}
        fields |= {one.key: [one.words] for one in error.warnings}
        said = {
            "refusals": RefusalOutput(error.refusals, many=True).data,
            "warnings": WarningOutput(error.warnings, many=True).data,
        }
        raise Refused(
            error.reason, why_not_issued(error), fields=fields, details=said if fields else None
        ) from None
    except actions.NotReady as error:
        reasons = {code: [why_not_ready(code)] for code in error.obstacles}
        words = " ".join(words[0] for words in reasons.values())
        raise Refused("not_ready", words, fields=reasons) from None
    except actions.TooManyFiles as error:
        raise Refused("too_many_files", too_many_files(error)) from None
    except tuple(SENTENCES) as error:
        code, words = SENTENCES[type(error)]
        raise Refused(code, _(words)) from None


SENTENCES: dict[type[Exception], tuple[str, str]] = {
    actions.AlreadyAsked: (
        "already_asked",
        gettext_noop("The doctor has your request already."),
    ),
    AlreadyWaiting: ("already_waiting", gettext_noop("The patient waits in this clinic already.")),
    AlreadyHolding: ("already_holding", gettext_noop("You have a patient already.")),
    NobodyPresent: ("nobody_present", gettext_noop("Nobody in the line is on the page now.")),
    NotOnDuty: (
        "not_on_duty",
        gettext_noop("You are not on duty in this clinic, or you are paused."),
    ),
    MoveRefused: ("moved", gettext_noop("This is no longer possible.")),
    actions.StillAnEmergency: (
        "emergency",
        gettext_noop("This is an emergency: write the first aid and where the patient goes."),
    ),
    actions.NothingSaid: ("nothing_said", gettext_noop("Say first what is wrong.")),
    actions.NotAsked: ("not_asked", gettext_noop("You were not asked for this opinion.")),
    actions.AlreadySent: ("already_sent", gettext_noop("The case was sent already.")),
    actions.TooManySets: (
        "too_many_sets",
        gettext_noop("You have very many sets. Delete one first."),
    ),
    actions.NoHub: ("no_hub", gettext_noop("Your health centre is linked to no hub yet.")),
    actions.ChangedMeanwhile: (
        "changed",
        gettext_noop("A colleague has changed this case meanwhile. Read it again."),
    ),
}
