"""What a nodal officer is responsible for: a district or a state, as long as the post is open."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest

from accounts.models import District, Post, User

_KEPT = "_area"


@dataclass(frozen=True)
class Area:
    """States and districts by their LGD code; `everywhere` is a superuser's.

    Whoever is staff without an officer's open post has an empty one: a right without an area opens
    nothing, so that ending the post is enough.
    """

    states: frozenset[int] = frozenset()
    districts: frozenset[int] = frozenset()
    home_states: frozenset[int] = frozenset()  # with the states that the districts lie in
    everywhere: bool = False

    @classmethod
    def of(cls, user: User) -> "Area":
        """In 2 queries at most."""
        if user.is_superuser:
            return cls(everywhere=True)
        posts = Post.objects.open().filter(user=user).select_related("facility")
        whole = {post.facility.state_id for post in posts if post.role == Post.Role.STATE_OFFICER}
        parts = {
            post.facility.district_id
            for post in posts
            if post.role == Post.Role.NODAL_OFFICER and post.facility.district_id
        }
        around = District.objects.filter(pk__in=parts).values_list("state_id", flat=True)
        return cls(
            frozenset(whole),
            frozenset(parts),
            frozenset(whole | (set(around) if parts else set())),
        )

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.states or self.districts)

    def places(self, prefix: str = "") -> Q:
        """Rows whose `<prefix>state` or `<prefix>district` is in the area."""
        if self.everywhere:
            return Q()
        return Q(**{f"{prefix}state__in": self.states}) | Q(
            **{f"{prefix}district__in": self.districts}
        )

    def clinics(self, prefix: str = "") -> Q:
        """A hub's clinic is where its facility is; an outpatient clinic where it says."""
        if self.everywhere:
            return Q()
        own = Q(**{f"{prefix}facility": None}) & self.places(prefix)
        return own | self.places(f"{prefix}facility__")


def area_of(request: HttpRequest) -> Area:
    """Of whoever is at work; read once per request."""
    kept: Area | None = getattr(request, _KEPT, None)
    if kept is None:
        kept = Area.of(request.user) if isinstance(request.user, User) else Area()
        setattr(request, _KEPT, kept)
    return kept
