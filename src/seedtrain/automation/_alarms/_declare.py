"""Which alarms there are: declared one by one in a file, or following from the limits of a recipe's phases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from seedtrain.automation._alarms._notify import NotifyEntry
from seedtrain.base import Document, InputError, SeedtrainError, collect, load
from seedtrain.quantity import Measure, Quantity, parse
from seedtrain.recipe import MasterRecipe

Priority = Literal["critical", "high", "medium", "low"]
PRIORITIES: Final[tuple[Priority, ...]] = ("critical", "high", "medium", "low")
"""From the gravest; ISA-18.2 advises three or four."""
Kind = Literal["high", "low", "bad"]
SETTLING: Final = timedelta(minutes=30)
"""For which the limits of a phase raise no alarm after its start, as its set points are only being reached; assumed."""
OF_LIMITS: Final = timedelta(minutes=1)
"""On-delay and off-delay of an alarm that follows from a recipe's limit; assumed."""


@dataclass(frozen=True)
class Alarm:
    """One alarm of one tag of one unit.

    - `kind`: `high` and `low` against `limit`; `bad`: the instrument says that its value is not to be used.
    - `dead_band`: in the limit's unit, how far inside the value must be before the alarm returns.
    - `on_delay`, `off_delay`: for how long the condition must be there, or gone, by the source's time.
    - `latching`: it stays until somebody resets it. `group`: the first of a group to come is its first-out.
    - `phases`: while other phases run it is not there at all; empty: always. `settling`: from the phase's start.
    - `suppressed_in`: phases, or words for what they do, in which it is suppressed by design.
    - `action`: what the operator does.
    """

    unit: str
    tag: str
    name: str
    kind: Kind
    limit: Quantity | None = None
    dead_band: float = 0.0
    on_delay: timedelta = timedelta(0)
    off_delay: timedelta = timedelta(0)
    priority: Priority = "medium"
    latching: bool = False
    group: str = ""
    phases: tuple[str, ...] = ()
    settling: timedelta = timedelta(0)
    suppressed_in: tuple[str, ...] = field(default=())
    action: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Unit and name: what nobody else has."""
        return self.unit, self.name


def _limit(text: object) -> object:
    return parse(str(text)) if not isinstance(text, Quantity) else text


def _number(text: object) -> object:
    try:
        value = float(str(text))
    except ValueError:
        raise ValueError(f"{text!r} is not a number | Give the dead band in the limit's own unit.") from None
    if not 0 <= value < float("inf"):
        raise ValueError(f"a dead band of {text} | Give zero or a positive number, in the limit's own unit.")
    return value


Limit = Annotated[Quantity, BeforeValidator(_limit)]
Delay = Annotated[Quantity, Measure("s")]


class AlarmEntry(BaseModel):
    """One entry of `alarms`: exactly one of `high`, `low` and `bad: yes`; words as in `Alarm`."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    unit: str = Field(min_length=1)
    tag: str = Field(min_length=1)
    name: str = ""
    high: Limit | None = None
    low: Limit | None = None
    bad: bool = False
    dead_band: Annotated[float, BeforeValidator(_number)] = 0.0
    on_delay: Delay = Quantity(0.0, "s")
    off_delay: Delay = Quantity(0.0, "s")
    priority: Priority = "medium"
    latching: bool = False
    group: str = ""
    suppressed_in: tuple[str, ...] = ()
    action: str = ""

    @model_validator(mode="after")
    def _fits(self) -> AlarmEntry:
        given = [name for name in ("high", "low", "bad") if getattr(self, name)]
        if len(given) != 1:
            found = " and ".join(given) or "neither a high nor a low limit"
            raise ValueError(f"the alarm of {self.tag} has {found} | Give one of `high`, `low` and `bad: yes`.")
        for name in ("on_delay", "off_delay"):
            if getattr(self, name).value < 0:
                raise ValueError(f"`{name}: {getattr(self, name)}` lies before the event | Give zero or more.")
        return self

    def alarm(self) -> Alarm:
        """The alarm."""
        kind: Kind = "high" if self.high is not None else "low" if self.low is not None else "bad"
        return Alarm(
            self.unit,
            self.tag,
            self.name or f"{self.tag}.{kind}",
            kind,
            self.high if self.high is not None else self.low,
            self.dead_band,
            timedelta(seconds=self.on_delay.magnitude("s")),
            timedelta(seconds=self.off_delay.magnitude("s")),
            self.priority,
            self.latching,
            self.group,
            suppressed_in=self.suppressed_in,
            action=self.action,
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    alarms: tuple[AlarmEntry, ...]
    notify: tuple[NotifyEntry, ...] = ()


def read_alarms(path: Path) -> tuple[tuple[Alarm, ...], tuple[NotifyEntry, ...]]:
    """The alarms of a file and whom they are told; raises `InputErrors` with every fault and its place."""
    entry, document = load(path, _File, what="alarms")
    if not entry.alarms:
        raise document.error(("alarms",), "there is no alarm in it", remedy="Declare one: unit, tag and limit.")
    return alarms_of(entry.alarms, document=document), entry.notify


def alarms_of(entries: Sequence[AlarmEntry], *, document: Document | None = None) -> tuple[Alarm, ...]:
    """The alarms of entries under `alarms` of a document; two of one name in a unit are an `InputErrors`."""
    errors: list[SeedtrainError] = []
    found: dict[tuple[str, str], Alarm] = {}
    for index, entry in enumerate(entries):
        alarm = entry.alarm()
        if alarm.key in found:
            message = f"{alarm.unit} has two alarms {alarm.name!r}"
            remedy = "Give one of them a `name` of its own, such as pH.low_low."
            given = None if document is None else document.error(("alarms", index), message, remedy=remedy)
            errors.append(given or InputError(message, remedy=remedy))
        found[alarm.key] = alarm
    collect(errors)
    return tuple(found.values())


def recipe_alarms(recipe: MasterRecipe, *, priority: Priority = "high") -> tuple[Alarm, ...]:
    """An alarm for each limit of each phase, there while the phase runs; its group is the phase's."""
    found: list[Alarm] = []
    for step in recipe.phases():
        unit = step.unit_procedure.unit or step.unit_procedure.unit_class
        for tag, limits in step.phase.watched.items():
            ends: Iterable[tuple[Kind, Any]] = (("low", limits.low), ("high", limits.high))
            found += [
                Alarm(
                    unit,
                    tag,
                    f"{tag}.{kind}@{step.path}",
                    kind,
                    limit,
                    on_delay=OF_LIMITS,
                    off_delay=OF_LIMITS,
                    priority=priority,
                    group=step.path,
                    phases=(step.path,),
                    settling=SETTLING,
                )
                for kind, limit in ends
                if limit is not None
            ]
    return tuple(found)
