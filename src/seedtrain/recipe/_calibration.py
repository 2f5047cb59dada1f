"""A probe against its references: slope and offset, whether they are within limits, and what a reading then means.

A straight line through one or two points, as instruments do it: at x it shows
`reference 1 + offset + slope (x - reference 1)`. With one reference the slope stays 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe._phase import Phase

CALIBRATE: Final = "calibrate"
PROBES: Final[Mapping[str, str]] = {"pH": "", "dissolved_oxygen": "%"}
"""What can be calibrated, by the tag of the probe, with its unit."""
FIRST: Final = "_reference"
SECOND: Final = "_second_reference"
LEAST_SLOPE: Final = 1e-6
"""Of 1; below it a probe does not answer to its references at all."""


@dataclass(frozen=True)
class Calibration:
    """What a probe showed in its references.

    - `points`: (reference, reading) in `unit`, one or two. `slope`: %. `offset`: in `unit`, at the first reference.
    """

    tag: str
    unit: str
    points: tuple[tuple[float, float], ...]
    slope: float
    offset: float

    def corrected(self, reading: float) -> float:
        """The value for which an uncorrected `reading` stands."""
        reference, shown = self.points[0]
        return reference + (reading - shown) * 100.0 / self.slope

    def outside(self, phase: Phase) -> tuple[str, ...]:
        """Which of `slope` and `offset` lie outside the limits of the phase; a probe that does not answer: `slope`."""
        found = {"slope": Quantity(self.slope, "%"), "offset": Quantity(self.offset, self.unit)}
        dead = ("slope",) if abs(self.slope) < 100.0 * LEAST_SLOPE else ()
        out = (name for name, limits in phase.limits.items() if name in found and not limits.contains(found[name]))
        return tuple(dict.fromkeys((*dead, *out)))


def references(phase: Phase) -> tuple[str, tuple[float, ...]]:
    """The tag of the probe that a phase calibrates, and its references in the probe's unit, in their order."""
    tag = next(name for name in PROBES if f"{name}{FIRST}" in phase.set)
    values = (phase.quantity(f"{tag}{FIRST}"), phase.quantity(f"{tag}{SECOND}"))
    return tag, tuple(value.magnitude(PROBES[tag]) for value in values if value is not None)


def calibration(phase: Phase, readings: Sequence[float]) -> Calibration:
    """What `readings`, one for each reference of the phase in the probe's unit, say of the probe."""
    tag, known = references(phase)
    if len(readings) != len(known):
        raise InputError(
            f"{phase.name}: {len(readings)} readings of {tag} for {len(known)} references", remedy="Give one for each."
        )
    points = tuple(zip(known, map(float, readings), strict=True))
    slope = 100.0
    if len(points) > 1:
        slope = 100.0 * (points[1][1] - points[0][1]) / (points[1][0] - points[0][0])
    return Calibration(tag, PROBES[tag], points, slope, points[0][1] - points[0][0])


def settled(phase: Phase, hours: float, times: Sequence[float], values: Sequence[float]) -> tuple[float, ...]:
    """The mean of what a probe showed in each reference: each has an equal part of the phase, its second half counts.

    - `hours`: of the phase. `times`, `values`: readings, h of the phase, shape "time".

    Raises `InputError` where a reference has no reading.
    """
    tag, known = references(phase)
    part = hours / len(known)
    found = []
    for number in range(len(known)):
        low, high = (number + 0.5) * part, (number + 1) * part
        high += 1e-9 if number == len(known) - 1 else -1e-9  # at the change the probe is in neither
        inside = [value for time, value in zip(times, values, strict=True) if low <= time < high]
        if not inside:
            raise InputError(
                f"{phase.name}: {tag} has no reading in reference {number + 1}", remedy="Let the phase take longer."
            )
        found.append(sum(inside) / len(inside))
    return tuple(found)
