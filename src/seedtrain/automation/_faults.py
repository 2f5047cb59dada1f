"""What goes wrong on purpose: faults of the plant file, checked against the recipe that is to run."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from seedtrain.base import Document, InputError, Location, SeedtrainError, collect
from seedtrain.quantity import Measure, Quantity

SENSOR_FAULTS: Final = {
    "offset": "off by `offset`, in the tag's unit",
    "drift": "off by `offset` more each hour, in the tag's unit",
    "stuck": "shows what it showed when it began",
    "noise": "its noise is `offset` times as large",
    "failure": "shows nothing",
    "fouling": "a film on it lets it answer `offset` times as slowly",
}
PROCESS_FAULTS: Final = {
    "foaming": "it foams `offset` times as readily",
    "contamination": "`offset` g/L of a contaminant come in",
    "feed_blocked": "the feed line is blocked",
    "base_blocked": "the base runs dry",
    "air_lost": "no gas comes",
    "power_dip": "drive, pumps and valves stand still",
    "network_lost": "nobody reaches the plant, over any protocol; a plant in lock-step has no such time",
}
"""Faults of the process, which a tank that is integrated can have; `offset` is left away where none is named."""
NETWORK: Final = "network_lost"
"""The one that a unit which plays back can have too: it is the whole plant's."""
_SIZED: Final = ("offset", "drift", "noise", "fouling", "foaming", "contamination")


def _offset(text: object) -> object:
    try:
        value = float(str(text))
    except ValueError:
        raise ValueError(f"{text!r} is not a number | Give the offset in the tag's own unit, without a unit.") from None
    if not math.isfinite(value) or value == 0.0:
        raise ValueError(f"the offset {text!r} changes nothing that can be read | Give a finite number, not zero.")
    return value


class FaultEntry(BaseModel):
    """One entry of `simulated_faults`: what goes wrong in a phase of a unit during a window.

    The window opens `after` the start of the phase and lasts `duration`; it holds its first moment and not its last.
    `kind` is one of `SENSOR_FAULTS`, which need a `tag`, or of `PROCESS_FAULTS`; `offset` is its size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str = Field(min_length=1)
    phase: str = Field(min_length=1)
    kind: str = "offset"
    tag: str = ""
    offset: Annotated[float, BeforeValidator(_offset)] | None = None
    after: Annotated[Quantity, Measure("h")]
    duration: Annotated[Quantity, Measure("h")]
    what: str = ""

    @model_validator(mode="after")
    def _fits(self) -> FaultEntry:
        if self.after.value < 0:
            raise ValueError(f"`after: {self.after}` lies before the phase | Give zero or a positive time.")
        if self.duration.value <= 0:
            raise ValueError(f"`duration: {self.duration}` is no time | Give a positive time.")
        if self.kind not in (*SENSOR_FAULTS, *PROCESS_FAULTS):
            known = ", ".join((*SENSOR_FAULTS, *PROCESS_FAULTS))
            raise ValueError(f"there is no kind of fault {self.kind!r} | Use one of: {known}.")
        if (self.kind in SENSOR_FAULTS) != bool(self.tag):
            words = "a tag" if self.kind in SENSOR_FAULTS else "no tag"
            raise ValueError(f"a fault of the kind {self.kind!r} has {words} | Write `tag`, or remove it.")
        if (self.kind in _SIZED) != (self.offset is not None):
            words = "an `offset`" if self.kind in _SIZED else "no `offset`"
            raise ValueError(f"a fault of the kind {self.kind!r} has {words} | Write it, or remove it.")
        if self.kind in ("noise", "fouling", "foaming", "contamination") and (self.offset or 0.0) < 0:
            raise ValueError(f"the offset {self.offset:g} of {self.kind!r} is negative | Give a positive number.")
        return self


@dataclass(frozen=True)
class Fault:
    """A fault as it happens, from `start` (held) to `end` (not), h of the phase at `path`; words as in `FaultEntry`."""

    unit: str
    path: str
    tag: str
    offset: float
    start: float
    end: float
    what: str
    kind: str = "offset"


@dataclass(frozen=True)
class FaultPlace:
    """A phase of the control recipe in which a fault can happen: its path there and in the recipe, unit and tags."""

    path: str
    master_path: str
    unit: str
    tags: Collection[str]
    integrated: bool = False  # whether a tank is integrated there, which can have any fault


def place_faults(
    entries: Sequence[FaultEntry],
    places: Sequence[FaultPlace],
    *,
    units: Collection[str] = (),
    document: Document | None = None,
    location: Location = ("simulated_faults",),
) -> tuple[Fault, ...]:
    """The faults that happen in this control recipe; those of other units of the plant are left out.

    - `units`: every unit that the plant has, running in this recipe or not.
    - `document`, `location`: where the entries stand, for the positions of errors.

    Raises `InputErrors` with every unknown unit, phase and tag.
    """
    errors: list[SeedtrainError] = []
    found: list[Fault] = []
    for index, entry in enumerate(entries):
        hits, fault = _matches(entry, places, units)
        if fault:
            key, message, remedy = fault
            errors.append(_error(document, (*location, index, key), message, remedy))
        start = entry.after.magnitude("h")
        end = start + entry.duration.magnitude("h")
        found += [
            Fault(entry.unit, hit.path, entry.tag, entry.offset or 0.0, start, end, entry.what, entry.kind)
            for hit in hits
        ]
    collect(errors)
    return tuple(found)


def _matches(
    entry: FaultEntry, places: Sequence[FaultPlace], units: Collection[str]
) -> tuple[list[FaultPlace], tuple[str, str, str] | None]:
    """The places that the entry means, or the key that is wrong with message and remedy."""
    here = {place.unit for place in places}
    phases = [place for place in places if entry.phase in (place.path, place.master_path)]
    if entry.unit not in here and entry.unit not in units:
        return [], ("unit", f"there is no unit {entry.unit!r}", _choose(sorted({*here, *units})))
    if not phases:
        return [], ("phase", f"the recipe has no phase {entry.phase!r}", _choose(place.path for place in places))
    if entry.unit not in here:
        return [], None
    hits = [place for place in phases if place.unit == entry.unit]
    if not hits:
        where = ", ".join(sorted({place.unit for place in phases}))
        return [], ("unit", f"{entry.phase!r} does not run on {entry.unit!r} but on {where}", _choose([where]))
    if entry.kind not in ("offset", NETWORK) and not all(place.integrated for place in hits):
        words = f"{entry.unit} plays {entry.phase!r} back and knows no {entry.kind!r}"
        return [], ("kind", words, "Use `kind: offset`, or a plant that integrates its tanks.")
    if entry.tag and any(entry.tag not in place.tags for place in hits):
        tags = sorted(set.intersection(*(set(place.tags) for place in hits)))
        return [], ("tag", f"{entry.unit} reports no {entry.tag!r} in {entry.phase!r}", _choose(tags))
    return hits, None


def _choose(names: Iterable[str]) -> str:
    listed = list(names)
    return f"Use one of: {', '.join(listed)}." if listed else "Remove the fault."


def _error(document: Document | None, location: Location, message: str, remedy: str) -> SeedtrainError:
    if document is None:
        path = ".".join(str(step) for step in location)
        return InputError(f"{path}: {message}", remedy=remedy)
    return document.error(location, message, remedy=remedy)
