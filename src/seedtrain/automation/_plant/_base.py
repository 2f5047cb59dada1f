"""What every unit of the virtual plant has: functions with history, targets, results, and one executor at a time."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from seedtrain.automation._devices import Ending, Quality, Reading
from seedtrain.automation._plant._tuning import Tuning
from seedtrain.base import InputError
from seedtrain.recipe import State

LEASE_S: Final = 10.0
"""s of wall time after which a unit is free again when its executor is not heard of."""


class Value(NamedTuple):
    """What a function showed at a time, and how far it is to be trusted."""

    at: datetime
    value: float
    quality: Quality = "good"


@dataclass(frozen=True)
class Signal:
    """What the plant tells its server: a new value of a function, or (tag empty) a new state of the unit."""

    unit: str
    tag: str = ""
    time: datetime | None = None
    value: float = math.nan
    quality: Quality = "good"


@dataclass(frozen=True)
class Template:
    """What a phase reports (`functions`), and the `materials` that it draws by itself."""

    functions: tuple[str, ...]
    materials: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """The phase that a unit runs or ran last, and how it ended."""

    path: str
    began: datetime
    ending: Ending | None = None


class PlantUnit(ABC):
    """One unit. `functions`: unit of measure by tag; `targets`: what its controllers are told; `templates` by path."""

    def __init__(
        self, name: str, functions: Mapping[str, str], targets: Iterable[str], templates: Mapping[str, Template]
    ) -> None:
        self.name = name
        self.functions = dict(functions)
        self.targets: dict[str, float] = dict.fromkeys(targets, math.nan)
        self.templates = templates
        self.program: Program | None = None
        self.history: dict[str, list[Value]] = {tag: [] for tag in self.functions}
        self.results: dict[str, tuple[datetime, Ending]] = {}
        self.owner: tuple[str, float] | None = None

    @property
    @abstractmethod
    def state(self) -> State:
        """The unit's ISA-88 state."""

    @abstractmethod
    def ready(self, path: str, at: datetime) -> datetime:
        """When the unit can take the phase."""

    @abstractmethod
    def start(self, path: str, at: datetime, properties: Mapping[str, str]) -> None:
        """Run the phase from `at`; its set points stand in the targets and in `properties`."""

    @abstractmethod
    def hold(self, path: str) -> None:
        """Go to the safe state."""

    @abstractmethod
    def abort(self, path: str) -> None:
        """Stop for good."""

    @abstractmethod
    def reset(self) -> None:
        """Be ready for another program: what runs or is held is stopped for good, what is aborted is cleared."""

    @abstractmethod
    def sample(self, path: str, attributes: Mapping[str, str]) -> tuple[Reading, ...]:
        """What the laboratory finds at the end of the phase."""

    @abstractmethod
    def play(self, until: datetime, tell: Callable[[Signal], None]) -> bool:
        """Live on until `until`, telling every value, and end the program where its time has come; whether it ended."""

    @property
    @abstractmethod
    def due(self) -> datetime | None:
        """Up to when the unit may be played at once: its program's end, or the next look at it; None if it rests."""

    @property
    @abstractmethod
    def next_event(self) -> datetime | None:
        """When the running program has its next value or ends, or None."""

    def resumes(self, path: str, at: datetime) -> bool:
        """Whether a start of this phase takes up a held one where it stands."""
        program = self.program
        return self.state is State.HELD and program is not None and (program.path, program.began) == (path, at)

    @property
    def active(self) -> str:
        """The path of the phase that runs, or empty."""
        running = self.program
        return running.path if running is not None and running.ending is None and self.due is not None else ""

    @property
    def follows(self) -> bool:
        """Whether a target that a client writes holds at once."""
        return bool(self.active)

    def retarget(self, targets: Mapping[str, float]) -> None:
        """Targets as a client wrote them."""
        self.targets.update(targets)

    def tunings(self) -> Mapping[str, Tuning]:
        """How its controllers are tuned, by what each controls; nothing where it has none of its own."""
        return {}

    def tune(self, tag: str, tuning: Tuning) -> None:
        """Tune a controller; raises `InputError` for what is no tuning."""
        raise InputError(f"{self.name} has no controller of {tag} {tuning}", remedy="Tune a unit that is integrated.")

    def claim(self, owner: str) -> None:
        """Take the unit for an executor; refused while another one that was heard of lately has it."""
        if self.owner is not None and self.owner[0] != owner:
            silent = time.monotonic() - self.owner[1]
            if silent < LEASE_S and self.state is State.RUNNING:
                raise InputError(
                    f"{self.name} runs {self.program.path if self.program else ''} for {self.owner[0]!r}, "
                    f"heard of {silent:.1f} s ago, and cannot be driven by {owner!r}",
                    remedy=f"Stop the other executor, or wait {LEASE_S:g} s.",
                )
        self.owner = (owner, time.monotonic())

    def past(self, tag: str, start: datetime, end: datetime) -> Sequence[Value]:
        """The values of a function from `start` to `end`, both held."""
        values = self.history[tag]
        return values[bisect_left(values, (start, -math.inf)) : bisect_right(values, (end, math.inf))]

    def _forget(self, at: datetime) -> None:
        """A repeated phase writes its own history anew."""
        for past in self.history.values():
            del past[bisect_left(past, (at, -math.inf)) :]
