"""What the executor knows of a plant: units, their functions, readings and endings, and nothing of how they are made.

The nouns are those of the Laboratory and Analytical Device Standard (OPC 30500-1, LADS): a device has functional
units, a functional unit has functions (sensors and controllers with a current and a target value), and a program run
ends with a result. Anything that speaks this small interface can carry a batch, a server behind a network included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

from seedtrain.quantity import Quantity
from seedtrain.recipe import Phase, State

Origin = Literal["simulated", "measured"]
Quality = Literal["good", "uncertain", "bad"]
EndedBy = Literal["condition", "duration", "at_most"]
TagKind = Literal["number", "text", "truth", "time"]
Plain = float | str | bool | datetime
"""What a tag can hold: a number, a text, a truth value or a time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one function: `value` in `unit`, at `time` on the process clock, and whether it was measured."""

    tag: str
    value: float
    unit: str
    time: datetime
    quality: Quality
    origin: Origin
    device: str


@dataclass(frozen=True)
class Function:
    """A sensor or controller of a functional unit: `tag` is the recipe's word for it, `device` the instrument's id."""

    tag: str
    unit: str
    device: str


@dataclass(frozen=True)
class Identity:
    """What a functional unit says of itself; `origin` marks every reading that it gives."""

    device: str
    manufacturer: str
    model: str
    origin: Origin


@dataclass(frozen=True)
class Addition:
    """What a scale or totaliser saw going in during a phase: `amount` in `unit` of a material of the recipe."""

    material: str
    amount: float
    unit: str


@dataclass(frozen=True)
class Ending:
    """How a phase ended: when, by what (`condition`, `duration` or `at_most`), what went in, and what came out.

    `additions` are whole amounts over the phase; `outlet` gives amounts leaving the phase by name, each with unit
    (for instance `product` g), and is empty where the unit does not weigh its outlet.
    """

    time: datetime
    ended_by: EndedBy
    additions: tuple[Addition, ...] = ()
    outlet: Mapping[str, tuple[float, str]] | None = None


class FunctionalUnit(Protocol):
    """One unit of a plant. Every command states what is wanted, so that giving it again changes nothing.

    A command that the unit's ISA-88 state does not allow, or that belongs to another phase than the one it runs, is
    an `InputError`; a unit that cannot be reached is an `UnavailableError`.
    """

    @property
    def name(self) -> str:
        """The unit's name as the control recipe gives it."""

    @property
    def state(self) -> State:
        """The unit's ISA-88 state."""

    def identify(self) -> Identity:
        """Who made it, and whether it measures or simulates."""

    def functions(self, path: str, phase: Phase) -> tuple[Function, ...]:
        """What it can report while the phase at `path` runs."""

    def connected(self, path: str, phase: Phase) -> tuple[str, ...]:
        """Materials that it draws by itself during the phase (pH control, antifoam), beside those the phase names."""

    def await_ready(self, path: str, at: datetime) -> datetime:
        """Wait from `at` until the unit can take the phase at `path`; returns that time on the process clock."""

    def command(self, path: str, set_points: Mapping[str, Quantity | str]) -> None:
        """State the set points that the phase at `path` wants."""

    def start(self, path: str, phase: Phase, at: datetime) -> None:
        """Run the phase from `at` on; a phase that runs already from there just goes on."""

    def hold(self, path: str) -> None:
        """Bring the unit to its safe state and keep it there."""

    def abort(self, path: str) -> None:
        """Stop for good, as fast as is safe."""

    def await_end(self, path: str) -> Ending:
        """Wait until the phase's transition is true, its duration is over or `at_most` has passed."""

    def read(self, path: str, interval: timedelta) -> tuple[Reading, ...]:
        """The readings of every function from the phase's start to its end, one each `interval` and one at the end."""

    def draw_sample(self, path: str, attributes: Mapping[str, str]) -> tuple[Reading, ...]:
        """Draw a sample at the phase's end and give what the analyser finds, by attribute in the unit wanted."""


class Plant(Protocol):
    """A set of functional units."""

    def unit(self, name: str) -> FunctionalUnit:
        """The unit called `name`; an unknown one is an `InputError` that lists the known ones."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One value that a device offers, under the `name` by which it is read and written."""

    name: str
    kind: TagKind = "number"
    unit: str = ""
    writable: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class TagValue:
    """What a tag held at `time`, the source's where the protocol has one; None where the device gives no value."""

    tag: str
    value: Plain | None
    unit: str
    time: datetime
    quality: Quality
    origin: Origin


class TagDevice(Protocol):
    """A device that offers tags and knows nothing of phases: what most protocols of sensors and controllers give.

    A tag that it does not have, or that cannot be written, is an `InputError`; a device that cannot be reached is an
    `UnavailableError`.
    """

    @property
    def name(self) -> str:
        """Its address, as people know it."""

    def identify(self) -> Identity:
        """Who made it, and whether it measures or simulates."""

    def tags(self) -> tuple[Tag, ...]:
        """What it offers."""

    def read(self, names: Sequence[str]) -> tuple[TagValue, ...]:
        """The last value of each tag, in the order asked."""

    def write(self, values: Mapping[str, Plain]) -> None:
        """Write the tags, and see that the device has taken them where its protocol can tell."""

    def close(self) -> None:
        """Leave it; it goes on with what it does."""


@runtime_checkable
class Lockable(Protocol):
    """A device that one client can have for itself."""

    def lock(self, owner: str) -> None:
        """Keep others away until it is closed; one that another client has is an `InputError`."""
