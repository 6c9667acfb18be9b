"""What `make day` says at the end: what was carried, what limits, and how a day was reckoned from it."""

from bench.load.parameters import DAY_SECONDS, NATIONAL_DAY, PEAK, TALK_SECONDS
from bench.load.step import Step

HEADROOM = 0.7  # of the cores: what is busier than this in its peak hour keeps people waiting
QUIET = 0.1  # of the cores: what others may use before a figure is none to plan with
WAITS = 300.0  # seconds in life from the door to the call: a doctor's line of four to five minutes
# Sockets that are open for one consultation, and for how long in life: the doctor's; the health worker's
# two while the patient waits and talks.
SOCKET_MINUTES = (TALK_SECONDS / 0.8 + 2 * (WAITS + TALK_SECONDS)) / 60
PEAK_RATE = NATIONAL_DAY / DAY_SECONDS * PEAK


def verdict(steps: list[Step], socket_minute: float, cores: int, ended: str = "") -> str:
    """`socket_minute`: seconds of CPU; `ended`: why no further step was tried, if not for the time."""
    held = [step for step in steps if not step.limits_broken]
    best = max(held, key=lambda step: step.rate, default=None)
    lines = [
        f"A day of {NATIONAL_DAY:,} has {PEAK_RATE:.2f} consultations begun a second in its peak hour"
        f" ({PEAK:.0f} times the mean of 24 hours).",
        _measured(best, cores),
        _what_limits(steps, best, cores),
        *([ended] if ended else []),
        *_reckoned(best or min(steps, key=lambda step: step.rate), socket_minute, cores),
        *_noise(steps, cores),
    ]
    return "\n".join(lines)


def _measured(best: Step | None, cores: int) -> str:
    if best is None:
        return f"Measured with the driver on the same {cores} cores: no rate kept all limits."
    return (
        f"Measured with the driver on the same {cores} cores: {best.rate:.2f} come and"
        f" {best.carried:.2f} are finished with a second within all limits,"
        f" {best.rate / PEAK_RATE:.0%} of that day."
    )


def _what_limits(steps: list[Step], best: Step | None, cores: int) -> str:
    """By the lowest rate that broke a limit, and the process that used most of the cores then."""
    broke = min((one for one in steps if one.limits_broken), key=lambda one: one.rate, default=None)
    if broke is None:
        return "What limits: nothing that was tried. Begin higher, or give it more --minutes."
    spent = broke.spent
    first = max(spent.cpu, key=lambda name: spent.cpu[name])
    return (
        f"What limits: at {broke.rate:.2f} a second {', '.join(broke.limits_broken)}, with"
        f" {spent.servers / spent.seconds / cores:.0%} of the cores used by the site, most of it by"
        f" {first} ({spent.cpu[first] / spent.servers:.0%})."
    )


def _reckoned(step: Step, socket_minute: float, cores: int) -> list[str]:
    resting = socket_minute * SOCKET_MINUTES
    by_cpu = cores * HEADROOM / (step.each + resting)
    return [
        f"CPU of one consultation: {step.each * 1000:.0f} ms as played at {step.rate:.2f} a second, and"
        f" {resting * 1000:.0f} ms for {SOCKET_MINUTES:.0f} minutes of open sockets"
        f" ({socket_minute * 1000:.2f} ms a socket and minute), which played time is too short to show.",
        f"Reckoned without the driver, the cores {HEADROOM:.0%} busy: {by_cpu:.2f} a second,"
        f" {by_cpu / PEAK_RATE:.0%} of that day, {by_cpu / PEAK_RATE * NATIONAL_DAY:,.0f} consultations.",
    ]


def _noise(steps: list[Step], cores: int) -> list[str]:
    share = sum(one.others for one in steps) / sum(one.spent.seconds for one in steps) / cores
    if share < QUIET:
        return []
    return [
        f"OTHERS USED {share:.0%} OF THE CORES MEANWHILE: what was measured is no figure to plan with;"
        " the CPU of one consultation is, within a fifth."
    ]
