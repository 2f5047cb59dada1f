"""The lines of a batch record that say what was done, as frozen data; `_fold` makes them of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

LEVELS: Final = ("alert", "action", "proven", "specification")
"""The four kinds of limits of a value, the narrowest first: a warning, a limit to act on, the proven acceptable range,
and the specification. They are four things: an alert is no deviation, and a proven range is no specification."""


@dataclass(frozen=True)
class Header:
    """What the batch is: its recipe, its unit and volume, and whether it was measured or simulated.

    - `text`: the control recipe as the batch carries it, a copy of the master's (21 CFR 211.188(a)); empty where it
      stands with the approval only. `trial`: it was started as simulated, without an approved recipe.
    - `manual`: people run it.
    """

    batch: str
    recipe: str
    recipe_digest: str
    master_digest: str
    unit: str
    volume: str
    origin: str
    created_at: str
    created_by: str
    text: str = field(default="", repr=False)
    trial: bool = False
    manual: bool = False


@dataclass(frozen=True)
class SignatureLine:
    """A person's signature with its meaning (21 CFR 11.50); `over`: the seq of the signed event of this batch."""

    seq: int
    actor: str
    meaning: str
    record_digest: str
    over: int | None
    occurred_at: str
    recorded_at: str


@dataclass(frozen=True)
class Correction:
    """A later value with its reason; the value before it stays in the record."""

    seq: int
    value: str
    unit: str
    reason: str
    actor: str
    occurred_at: str


@dataclass(frozen=True)
class ValueLine:
    """A reading, sample, entry or calculated value with its limits.

    - `low`, `high`: the limits whose crossing is an excursion. `within`: as recorded. `keeps_limits`: computed anew
      from value and limits; a word keeps them where it is among the accepted ones.
    - `more`: what else was recorded: `levels` (alert, action, proven, specification), `accepted` words, `instrument`,
      and of a calculated value `formula`, `inputs`, `places`, `theoretical`, `actual`.
    """

    seq: int
    id: str
    phase: str
    tag: str
    value: str
    unit: str
    low: str | None
    high: str | None
    within: bool
    kind: str
    origin: str
    actor: str
    device: str | None
    occurred_at: str
    more: Mapping[str, Any] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()

    @property
    def current(self) -> str:
        """The value that counts: the last correction, else what was recorded."""
        return self.corrections[-1].value if self.corrections else self.value

    @property
    def keeps_limits(self) -> bool:
        """Whether what was recorded, and every correction of it, lies within the limits."""
        accepted = self.more.get("accepted")
        if accepted:
            return all(value in accepted for value in self.all_values)
        return all(inside(value, self.low, self.high) for value in self.all_values)

    @property
    def all_values(self) -> tuple[str, ...]:
        """What was recorded, then every correction."""
        return (self.value, *(item.value for item in self.corrections))

    @property
    def levels(self) -> Mapping[str, tuple[str | None, str | None]]:
        """Low and high of each of `LEVELS` that the recipe gives."""
        given = self.more.get("levels") or {}
        return {name: (given[name].get("low"), given[name].get("high")) for name in LEVELS if name in given}

    @property
    def outside(self) -> tuple[str, ...]:
        """The levels that what was recorded, or a correction of it, lies outside of, the narrowest first."""
        return tuple(
            name
            for name, (low, high) in self.levels.items()
            if not all(inside(value, low, high) for value in self.all_values)
        )

    @property
    def limits(self) -> str:
        """The limits in words, the accepted words where it is one, empty where there are none."""
        return limit_words(self.low, self.high) or "/".join(str(item) for item in self.more.get("accepted") or ())


@dataclass(frozen=True)
class ConsumedLine:
    """An amount of a lot that went in; `target` and `tolerance_percent` where the recipe states an amount.

    - `amount`: what counts, the last correction of it where there is one; `recorded`: as it was recorded first.
    - `before`: what of the target other lots had given already. `partial`: another lot gives the rest.
    - `reference`: what tells this weighing from an equal one: a ticket's number; empty where there is none.
    """

    seq: int
    lot: str
    material: str
    amount: str
    unit: str
    target: str | None
    tolerance_percent: str | None
    phase: str
    actor: str
    occurred_at: str
    before: str = "0"
    partial: bool = False
    instrument: str | None = None
    reference: str = ""
    id: str = ""
    recorded: str = ""
    corrections: tuple[Correction, ...] = ()

    @property
    def all_amounts(self) -> tuple[str, ...]:
        """What was recorded, then every correction."""
        return (self.recorded or self.amount, *(item.value for item in self.corrections))

    @property
    def worst(self) -> str:
        """Of these the first that is out of tolerance; the one that counts where none is."""
        return next((item for item in self.all_amounts if not inside(item, *self.bounds)), self.amount)

    @property
    def bounds(self) -> tuple[str | None, str | None]:
        """Target less and plus the tolerance, less what went in before; None where the recipe states no amount."""
        if self.target is None or self.tolerance_percent is None:
            return None, None
        target, before = Decimal(self.target), Decimal(self.before)
        share = abs(target) * Decimal(self.tolerance_percent) / 100
        low = None if self.partial else plain(target - share - before)
        return low, plain(target + share - before)

    @property
    def keeps_limits(self) -> bool:
        """Whether what was recorded, and every correction of it, is within the tolerance of its target."""
        return all(inside(item, *self.bounds) for item in self.all_amounts)


@dataclass(frozen=True)
class CheckLine:
    """A second person's check of a phase. `stale`: a value of the phase was corrected after it."""

    seq: int
    phase: str
    actor: str
    meaning: str
    occurred_at: str
    signed: bool
    stale: bool


@dataclass(frozen=True)
class StepLine:
    """One phase: when, where, by whom, with which settings, and how it ended (`completed_at` None: it has not).

    - `doers`: everybody who acted in it, programs included; none of them can check it.
    - `equipment`: what it used beside its unit, by id.
    - `hold_signatures`: signatures that release its hold point, by somebody else, after which nothing in it was
      corrected. `performed`: whether the one who completed it signed for it.
    - `took_part`: whether who completed it had acted in it before; `completion_reason`: what they said about it.
    """

    phase: str
    unit: str
    do: str
    settings: Mapping[str, str]
    line: int
    seq: int
    started_at: str
    started_by: str
    completed_at: str | None = None
    completed_by: str | None = None
    completed_seq: int | None = None
    duration_h: str | None = None
    ended_by: str | None = None
    doers: frozenset[str] = frozenset()
    checks: tuple[CheckLine, ...] = ()
    hold_signatures: tuple[SignatureLine, ...] = ()
    equipment: tuple[str, ...] = ()
    performed: bool = False
    took_part: bool = True
    completion_reason: str = ""

    @property
    def checked(self) -> bool:
        """Whether somebody else checked it, signed, and nothing was corrected since."""
        return any(item.signed and not item.stale and item.actor not in self.doers for item in self.checks)


@dataclass(frozen=True)
class Intervention:
    """A command by which somebody stepped in: hold, pause, stop, abort, and coming back from them.

    - `unit`: empty where the unit procedure was not on any yet. `reason`: what was said where one was.
    """

    seq: int
    unit_procedure: str
    unit: str
    command: str
    before: str
    after: str
    actor: str
    occurred_at: str
    reason: str = ""


@dataclass(frozen=True)
class CommentLine:
    """What somebody remarked; `phase` is empty where it concerns the whole batch."""

    seq: int
    phase: str
    text: str
    actor: str
    occurred_at: str


@dataclass(frozen=True)
class ClearanceLine:
    """A line was inspected and holds nothing of a batch before (21 CFR 211.130(e), 211.188(b)(6))."""

    seq: int
    line: str
    found: str
    actor: str
    occurred_at: str
    signed: bool


@dataclass(frozen=True)
class StopLine:
    """A hard stop that somebody met: what they wanted was refused by `gate` because of `subject` (a lot, a device ...).

    - `lifted_by`: the seq of the event by which quality let it go on under a deviation; None where it did not.
    """

    seq: int
    phase: str
    gate: str
    subject: str
    reason: str
    actor: str
    occurred_at: str
    lifted_by: int | None = None


@dataclass(frozen=True)
class LiftLine:
    """Quality's decision that a phase may go on past a hard stop, under a deviation."""

    seq: int
    phase: str
    gate: str
    subject: str
    deviation: str
    reason: str
    actor: str
    occurred_at: str
    signed: bool

    def covers(self, stop: StopLine) -> bool:
        """Whether this decision is about that stop."""
        return (self.phase, self.gate, self.subject) == (stop.phase, stop.gate, stop.subject)


@dataclass(frozen=True)
class SegmentLine:
    """A telemetry file of a phase; times in h since the batch began."""

    seq: int
    phase: str
    digest: str
    tags: tuple[str, ...]
    start_h: str
    end_h: str
    count: int


def inside(value: str, low: str | None, high: str | None) -> bool:
    """Whether a decimal string lies within its limits, both ends included; a word has no limits to break."""
    try:
        number = Decimal(value)
        return (low is None or number >= Decimal(low)) and (high is None or number <= Decimal(high))
    except InvalidOperation:
        return low is None and high is None


def limit_words(low: str | None, high: str | None) -> str:
    """`6.8 .. 7.2`, `>= 95`, `<= 3`, or nothing."""
    if low is not None and high is not None:
        return f"{low} .. {high}"
    return f">= {low}" if low is not None else f"<= {high}" if high is not None else ""


def plain(number: Decimal) -> str:
    """A decimal without an exponent or trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
