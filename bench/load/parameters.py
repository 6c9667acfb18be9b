"""What a run plays: how many come, how long they think, in which mix. Defaults are published figures."""

from dataclasses import dataclass
from math import ceil

DAY_SECONDS = 86_400
NATIONAL_DAY = 90_000  # consultations: the service's own day in September 2021
TALK_SECONDS = 390.0  # 6.5 minutes
TURN_SECONDS = 2.5  # of the run, from one patient to the next, whatever the compression
PER_DOCTOR = 29  # 28.7 consultations a doctor and day
PER_HEALTH_WORKER = 7  # a day
LOOK_EVERY = (
    10.0  # seconds of the run between two looks at the invariants, one of them a stranger's
)
HUB_SHARE = 0.99  # 2,84,246 of 2,87,354 on one full day of 2023
PEAK = 3.0  # the peak hour against the mean of the day
# The hours from 6 to midnight, in multiples of the day's mean; nobody comes at night.
HOURS = (0.1, 0.3, 1.2, 2.4, PEAK, 2.7, 2.3, 1.8, 1.6, 1.7, 1.9, 1.8, 1.3, 0.8, 0.5, 0.3, 0.2, 0.1)


@dataclass(frozen=True)
class Parameters:
    """One run. Times that people take are shortened by `compression`; what they do is not."""

    seconds: float = 180.0  # during which people come
    warm_up: float = 45.0  # before that, not counted: every process reads, plans and composes once
    rate: float = NATIONAL_DAY / DAY_SECONDS  # begun a second: the mean of the whole day
    flat: bool = False  # at the same rate all the time, instead of hour by hour
    compression: float = 20.0
    hub_share: float = HUB_SHARE
    newcomers: float = 0.4  # of a health centre's patients: registered there and then
    messages: int = 2  # written by each side
    clinics: int = 4
    web_workers: int = 2
    seed: int = 1

    @property
    def peak_rate(self) -> float:
        return self.rate if self.flat else self.rate * PEAK

    @property
    def expected(self) -> int:
        """Consultations of the whole run."""
        counted = sum(self.rate_at(second) for second in range(ceil(self.seconds)))
        return ceil(counted + self.rate * self.warm_up)

    def rate_at(self, second: float) -> float:
        """Arrivals a second at this moment of the run."""
        if self.flat:
            return self.rate
        hour = min(len(HOURS) - 1, int(second / self.seconds * len(HOURS)))
        return self.rate * HOURS[hour]

    @property
    def strangers(self) -> int:
        """Who look at somebody else's consultation, each once, until the last are seen."""
        return ceil((self.warm_up + self.seconds) / LOOK_EVERY * 1.5)

    @property
    def talk(self) -> float:
        """Seconds that doctor and patient talk in this run."""
        return TALK_SECONDS / self.compression

    @property
    def doctors(self) -> int:
        """At work at the same time in the peak hour."""
        return self.doctors_for(self.peak_rate)

    def doctors_for(self, rate: float) -> int:
        """Who are busy four fifths of their time at this rate, one in each clinic at least."""
        return max(self.clinics, ceil(rate * (self.talk + TURN_SECONDS) / 0.8))

    def think(self, seconds: float) -> float:
        """How long somebody thinks in this run who needs `seconds` in life."""
        return seconds / self.compression
