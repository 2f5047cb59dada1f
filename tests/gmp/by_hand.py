"""A batch by hand as a person would keep it on a page, and the shop in which such batches are made.

The model knows the procedure, who did what, what left its limits, and ISA-88's matrix as far as people give commands.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from seedtrain import gmp
from seedtrain.quality import Lot
from seedtrain.quantity import parse
from seedtrain.recipe import ControlRecipe, at_scale, parse_recipe
from seedtrain.record import Ledger, enrol_person, open_ledger

RECIPE = """
recipe: machine
title: Three phases
version: "1"
product: mix
culture: none
basis: {unit: T-1, volume: 1 L}
procedure:
  - unit_procedure: make
    unit_class: production_vessel
    operations:
      - operation: mix
        phases:
          - phase: weigh
            do: manual
            duration: 5 min
            equipment: [balance]
            second_person: true
            dispense: {salt: {amount: 10 g, tolerance: 10 %}}
            entries: {gross: {unit: g}, tare: {unit: g}}
            calculate: {net: {formula: gross - tare, unit: g, action: 9 .. 11 g}}
          - phase: stir
            do: manual
            duration: 5 min
            entries: {appearance: {choices: [clear, hazy], accept: [clear]}}
            hold_point: It may be filled.
  - unit_procedure: fill
    unit_class: line
    unit: L-1
    operations:
      - operation: fill
        phases:
          - phase: fill
            do: manual
            duration: 5 min
            clear: L-1
            entries: {filled: {action: "= 3"}}
            yields: {yield: {actual: filled * 10, unit: "", theoretical: "30"}}
specification:
  - {attribute: identity, method: look, limit: "= conforms"}
"""
WEIGH, STIR, FILL = PHASES = ("make/mix/weigh", "make/mix/stir", "fill/fill/fill")
TAGS: Final = {WEIGH: ("gross", "tare"), STIR: ("appearance",), FILL: ("filled",)}
UNITS: Final = {"gross": "g", "tare": "g", "appearance": "", "filled": ""}
VALUES: Final = {
    "gross": ("20.0", "21.5"),
    "tare": ("10.0", "10.5"),
    "appearance": ("clear", "hazy"),
    "filled": ("3", "3.0"),
}
GOOD_LOT: Final = "SALT-1"
LOTS: Final = {
    GOOD_LOT: ("salt", date(2030, 1, 1), "released"),
    "SALT-OLD": ("salt", date(2026, 3, 1), "released"),
    "SALT-NEW": ("salt", date(2030, 1, 1), "quarantined"),
    "SALT-BAD": ("salt", date(2030, 1, 1), "rejected"),
    "SUGAR-1": ("sugar", date(2030, 1, 1), "released"),
}
PEOPLE: Final = {
    "anna": "operator",
    "bela": "operator",
    "cora": "shift_leader",
    "dora": "quality_assurance",
    "mona": "metrology",
    "quin": "quality_control",
    "rita": "reviewer",
    "arno": "author",
}
NOW: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
MATRIX: Final = {
    "running": {"hold": "held", "pause": "paused", "stop": "stopped", "abort": "aborted"},
    "held": {"restart": "running", "stop": "stopped", "abort": "aborted"},
    "paused": {"resume": "running", "hold": "held", "stop": "stopped", "abort": "aborted"},
    "stopped": {"abort": "aborted"},
    "aborted": {},
    "complete": {},
}


@dataclass
class Model:
    """One batch as a person would keep it on a page."""

    state: str = "running"
    done: list[str] = field(default_factory=list)
    running: str = ""
    starter: str = ""
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    weighed: float = 0.0
    doers: dict[str, set[str]] = field(default_factory=dict)
    finisher: dict[str, str] = field(default_factory=dict)
    performed: set[str] = field(default_factory=set)
    checked: dict[str, set[str]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    cleared: bool = False
    tickets: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    last_order: tuple[str, str] = ("", "")
    ended: tuple[str, float] = ("", 0.0)
    strangers: set[str] = field(default_factory=set)
    out: set[str] = field(default_factory=set)
    mended: set[str] = field(default_factory=set)
    result: str = ""
    decision: str = ""

    @property
    def following(self) -> str:
        """The phase whose turn it is; empty while a signature or check is missing, or all is done."""
        signed = all(item in self.performed for item in self.done)
        checked = WEIGH not in self.done or bool(self.checked.get(WEIGH, set()) - self.doers[WEIGH])
        held = STIR not in self.done or STIR in self.released
        return PHASES[len(self.done)] if signed and checked and held and len(self.done) < 3 else ""

    @property
    def whole(self) -> bool:
        """Whether the batch may end."""
        checked = bool(self.checked.get(WEIGH, set()) - self.doers.get(WEIGH, set()))
        return len(self.done) == 3 and set(self.done) <= self.performed and checked and STIR in self.released

    @property
    def open(self) -> bool:
        """Whether quality has not decided, or only held it."""
        return self.decision in ("", "on_hold")

    @property
    def runs(self) -> bool:
        """Whether a phase takes anything."""
        return self.open and self.state == "running"

    @property
    def operators(self) -> set[str]:
        """Everybody who acted in a phase."""
        return set().union(*self.doers.values())

    def acts(self, who: str) -> bool:
        """Whether this person may run phases at all."""
        return PEOPLE[who] in ("operator", "shift_leader")

    def does(self, phase: str, who: str) -> None:
        """They acted in it: whatever they checked or released there before counts no more."""
        self.doers.setdefault(phase, set()).add(who)

    def weighs(self, lot: str, amount: str, reference: str, who: str) -> bool:
        """Put in an amount; False where it was told before. Past 11 g it is an excursion."""
        ticket = (lot, reference or f"{float(amount):g}")
        if ticket in self.tickets:
            return False
        self.tickets[ticket] = (float(amount), who)
        self.weighed += float(amount)
        if self.weighed > 11:
            self.out.add(f"weighing {len(self.tickets)}")
        self.does(WEIGH, who)
        return True

    def states(self, tag: str) -> None:
        """A value stands now; what lies out of its limits, or is calculated to, was out for good."""
        if tag == "appearance" and self.values[STIR, tag].startswith("hazy"):
            self.out.add(tag)
        gross, tare = (self.values.get((WEIGH, name), "").split(" ")[0] for name in TAGS[WEIGH])
        if gross and tare and float(gross) - float(tare) > 11:
            self.out.add("net")

    def takes_back(self, phase: str) -> None:
        """A correction: signatures and checks of the phase stand for nothing."""
        self.performed.discard(phase)
        self.checked.pop(phase, None)
        self.released.discard(phase)


@dataclass
class Shop:
    """A ledger in which many batches are made one after the other."""

    ledger: Ledger
    control: ControlRecipe
    actors: dict[str, str]
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    @staticmethod
    def open(folder: Path) -> Shop:
        ledger = open_ledger(folder / "record.db", clock=lambda: NOW)
        actors = {name: enrol_person(ledger, name, [role], scripted=True) for name, role in PEOPLE.items()}
        master = parse_recipe(RECIPE, "machine.yaml")
        control = at_scale(master, unit=master.basis_unit, volume=master.basis_volume)
        gmp.approve_recipe(ledger, control, author=actors["arno"], approver=actors["dora"])
        for name, kind in {"T-1": "production_vessel", "L-1": "line"}.items():
            gmp.register_equipment(ledger, name, actors["mona"], name=name, kind=kind)
        gmp.receive_lots(
            ledger,
            [Lot(name, what, "S", parse("1000 kg"), day, status) for name, (what, day, status) in LOTS.items()],  # type: ignore[arg-type]
        )
        gmp.register_equipment(ledger, "BAL-1", actors["mona"], name="Balance", kind="balance", calibrated=True)
        gmp.calibrate_equipment(ledger, "BAL-1", actors["mona"], certificate="C-1", due=date(2027, 1, 1))
        return Shop(ledger, control, actors)
