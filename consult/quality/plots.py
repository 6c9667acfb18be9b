"""Small plots as plain SVG numbers: no library, no script, no style attribute."""

from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT, GAP = 720, 96, 0.25  # units of the view box; the gap is a part of a bar's place


@dataclass(frozen=True)
class Bar:
    """One day: the whole bar, and the part of it that stands for what came back."""

    day: date
    asked: int
    returned: int
    x: float
    width: float
    y: float
    height: float
    returned_height: float

    @property
    def returned_y(self) -> float:
        return HEIGHT - self.returned_height


@dataclass(frozen=True)
class Plot:
    """Bars of all days under one scale; `top` is the number that a bar of full height stands for."""

    bars: list[Bar]
    top: int
    width: int = WIDTH
    height: int = HEIGHT


def plot_of_days(days: dict[date, tuple[int, int]]) -> Plot:
    """Of (asked, returned) per day."""
    top = max((asked for asked, _returned in days.values()), default=0)
    place = WIDTH / max(1, len(days))
    bars = []
    for number, (day, (asked, returned)) in enumerate(days.items()):
        height = round(HEIGHT * asked / max(1, top), 2)
        bars.append(
            Bar(
                day=day,
                asked=asked,
                returned=returned,
                x=round(number * place, 2),
                width=round(place * (1 - GAP), 2),
                y=round(HEIGHT - height, 2),
                height=height,
                returned_height=round(HEIGHT * returned / max(1, top), 2),
            )
        )
    return Plot(bars, top)
