from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.base import Named


class State(Named):
    """One state or union territory, by its Local Government Directory code."""

    code = models.PositiveSmallIntegerField("LGD code", primary_key=True)
    is_union_territory = models.BooleanField(default=False)
    general_first = models.BooleanField(
        "a general doctor first",
        default=True,
        help_text="Health centres ask a specialist only on a follow-up, on the advice of a doctor,"
        " or in an emergency.",
    )

    class Meta(Named.Meta):
        ordering = ["name"]


class District(Named):
    """One district of a state, by its Local Government Directory code."""

    code = models.PositiveIntegerField("LGD code", primary_key=True)
    state = models.ForeignKey(State, on_delete=models.PROTECT, related_name="districts")

    class Meta(Named.Meta):
        ordering = ["name"]


class Facility(Named):
    """One health facility. It may be a hub, a spoke or both: the hub links say which."""

    class Kind(models.TextChoices):
        SUB_CENTRE = "sub_centre", "Sub-centre"
        PHC = "phc", "Primary health centre"
        CHC = "chc", "Community health centre"
        DISTRICT_HOSPITAL = "district_hospital", "District hospital"
        MEDICAL_COLLEGE = "medical_college", "Medical college"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    hfr_id = models.CharField("HFR id", max_length=20, blank=True)
    state = models.ForeignKey(State, on_delete=models.PROTECT)
    district = models.ForeignKey(District, on_delete=models.PROTECT, null=True, blank=True)
    address = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=16, blank=True)

    class Meta(Named.Meta):
        verbose_name_plural = "facilities"
        ordering = ["name"]


def is_open(now: Any, post: str = "") -> Q:
    """Begun and not ended; `post` is the path to it, for whoever asks another model."""
    not_ended = Q(**{f"{post}ended_at": None}) | Q(**{f"{post}ended_at__gt": now})
    return not_ended & Q(**{f"{post}started_at__lte": now})


def at_centre(now: Any, post: str = "") -> Q:
    """Of health workers: they bring patients of their facility before doctors."""
    return is_open(now, post) & Q(**{f"{post}role": Post.Role.HEALTH_WORKER})


class PostQuerySet(models.QuerySet["Post"]):
    def open(self, now: Any = None) -> "PostQuerySet":
        return self.filter(is_open(now or timezone.now()))

    def at_centres(self, now: Any = None) -> "PostQuerySet":
        return self.filter(at_centre(now or timezone.now()))


class Post(models.Model):
    """One person's role at one facility, from a day until it ends.

    An officer's area is the district or the state of the facility.
    """

    class Role(models.TextChoices):
        HEALTH_WORKER = "health_worker", "Health worker (CHO)"
        DOCTOR = "doctor", "Doctor"
        NODAL_OFFICER = "nodal_officer", "Nodal officer of the district"
        STATE_OFFICER = "state_officer", "Nodal officer of the state"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="posts"
    )
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="posts")
    role = models.CharField(max_length=20, choices=Role.choices)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "facility", "role"],
                condition=Q(ended_at=None),
                name="accounts_post_one_open_per_role",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="accounts_post_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.facility}"
