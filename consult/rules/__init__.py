"""What the Telemedicine Practice Guidelines allow, and what a doctor is warned of.

Nothing here writes. `check` looks at a draft as it would be issued today.
"""

from consult.rules.check import Checked, check
from consult.rules.formulary import known_on
from consult.rules.lists import Circumstances, ListRule, Refusal, decide
from consult.rules.warnings import Warned

__all__ = [
    "Checked",
    "Circumstances",
    "ListRule",
    "Refusal",
    "Warned",
    "check",
    "decide",
    "known_on",
]
