"""What an executor needs of units that it watches while they run, beside what `FunctionalUnit` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from seedtrain.automation._devices import Ending, FunctionalUnit, Reading
from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import State


class NotRunning(InputError):
    """The unit neither runs the phase that it should run nor has its result; `state` is what it is in."""

    def __init__(self, message: str, state: State, *, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.state = state


@dataclass(frozen=True)
class Interlock:
    """While `tag` is at or beyond `value`, in `unit`, the functional unit does not run."""

    tag: str
    operator: str
    value: float
    unit: str
    words: str

    def trips(self, shown: float) -> bool:
        """Whether the value shown trips it; what is not a number does not."""
        return shown >= self.value if self.operator == ">=" else shown <= self.value


@dataclass(frozen=True)
class Outage:
    """A lost connection, on the process clock: last heard of at `lost`, heard of again at `found`."""

    lost: datetime
    found: datetime


class WatchedUnit(FunctionalUnit, Protocol):
    """A unit that can be looked at without waiting for its end."""

    @property
    def program(self) -> str | None:
        """The path of the program that runs, empty for none; None where the unit does not tell."""

    def now(self) -> datetime:
        """The process clock."""

    def counts(self) -> Mapping[str, float]:
        """What its totalisers count now, by tag, where nothing else tells what a phase took; else empty."""

    def recall(self, path: str, stood: timedelta, counts: Mapping[str, float]) -> None:
        """What the record knows of a phase, for a unit that does not know it by itself: how long it was held so far,
        and what `counts` said when it began."""

    def ready(self, path: str, at: datetime) -> datetime:
        """When it can take the phase at `path`, asked at `at`; it does not wait for that."""

    def wait_for(self, at: datetime) -> None:
        """Wait until the process clock shows `at`; one that does not move by itself is moved by what starts then."""

    def poll(self, path: str, until: datetime | None = None) -> Ending | None:
        """One look at the running phase, of a second at most: how it ended, or None. Raises `NotRunning`.

        - `until`: what moves the process clock moves it no further than to there; one in the past: it only looks.
        """

    def override(self, values: Mapping[str, Quantity]) -> None:
        """Set targets by hand, beside what the phase set."""

    def tripped(self) -> tuple[Interlock, float] | None:
        """The first interlock that holds now, with the value that it saw."""

    def fresh(self, path: str, after: datetime) -> tuple[Reading, ...]:
        """Every value of the phase's functions that the unit's history has later than `after`, by source time."""

    def outages(self) -> tuple[Outage, ...]:
        """Lost connections since this was asked last."""

    def filled(self, path: str, outage: Outage, longest: float) -> Mapping[str, bool]:
        """By tag: whether the unit's history has values over the outage, no two further apart than `longest`, h."""


class WatchedPlant(Protocol):
    """A set of units that can be watched."""

    def unit(self, name: str) -> WatchedUnit:
        """The unit called `name`; an unknown one is an `InputError` that lists the known ones."""
