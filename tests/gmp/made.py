"""A short batch written by hand, event by event, as the record's table of events has it; with knobs for attacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from seedtrain.gmp import (
    approve_recipe,
    batch_record,
    close_deviation,
    decide_release,
    open_deviations,
    receive_lots,
    record_results,
    review,
)
from seedtrain.quality import Constituent, Lot, Result
from seedtrain.quantity import Quantity, parse
from seedtrain.recipe import Command, ControlRecipe, SeedUnit, State, at_scale, next_state, parse_recipe
from seedtrain.record import Draft, Event, Ledger, append_signed, enrol_person, open_ledger, sign

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BATCH = "B-1"

RECIPE = """
recipe: short
title: Short
version: "1"
product: thing
culture: none
basis: {unit: T, volume: 10 L}
materials:
  medium: {composition: {sugar: 10 g/L, water: 0.98 kg/L}}
procedure:
  - unit_procedure: seed
    unit_class: shake_flask
    operations:
      - operation: expansion
        phases:
          - phase: thaw
            do: thaw
            set: {inoculum: bank, inoculum_fraction: 1 %, biomass: 8 g/L}
            instruction: Thaw one vial.
            second_person: true
            duration: 15 min
          - {phase: charge, do: charge, set: {material: medium, volume: 100 mL}, duration: 10 min}
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: main
        phases:
          - {phase: charge, do: charge, set: {material: medium, volume: 10 L}, duration: 30 min}
          - phase: grow
            do: grow
            set: {temperature: 37 degC, pH: 7.0}
            until: elapsed >= 6 h
            at_most: 8 h
            limits: {pH: 6.8 .. 7.2}
            sample: {biomass: 3 .. 5 g/L}
            hold_point: The broth goes to harvest.
  - unit_procedure: filling
    unit_class: filling_line
    operations:
      - operation: fill
        phases:
          - phase: fill
            do: fill
            set: {container: vial, mass: 100 mg, loss: 0.5 %}
            second_person: true
specification:
  - {attribute: identity, method: map, limit: "= conforms"}
  - {attribute: purity, method: gel, limit: ">= 95 %", assay_cv: 1 %}
  - {attribute: endotoxin, method: rFC, limit: "<= 0.5 EU/mg", assay_cv: 20 %}
"""

GOOD = {"identity": "conforms", "purity": "97.2 %", "endotoxin": "0.12 EU/mg"}
IN_LIMITS = ("7.00", "7.05", "6.95")
ONE_EXCURSION = ("7.00", "6.65", "6.60", "6.70", "7.00")


def control_recipe(text: str = RECIPE) -> ControlRecipe:
    seeds = [SeedUnit("F", "shake_flask", Quantity(100, "mL"))]
    return at_scale(parse_recipe(text, "short.yaml"), unit="T", volume=Quantity(10, "L"), seeds=seeds)


def lot(
    name: str,
    material: str,
    *,
    quantity: str = "50 kg",
    expiry: date = date(2030, 1, 1),
    status: str = "released",
    origins: Sequence[str | None] = ("plant",),
) -> Lot:
    inside = tuple(Constituent(f"part {number}", origin) for number, origin in enumerate(origins, start=1))
    return Lot(name, material, "Supplier", parse(quantity), expiry, status, inside)  # type: ignore[arg-type]


def lots() -> list[Lot]:
    return [
        lot("BANK-1", "bank", quantity="10 mL", origins=("microbial", "plant")),
        lot("SUGAR-1", "sugar"),
        lot("WATER-1", "water", origins=("mineral",)),
        lot("VIAL-1", "vial", quantity="500", origins=("mineral", "synthetic")),
    ]


@dataclass
class Made:
    """A ledger with people, lots and an approved recipe, and the means to run a batch in it."""

    ledger: Ledger
    control: ControlRecipe = field(default_factory=control_recipe)
    batch: str = BATCH
    people: dict[str, str] = field(default_factory=dict)
    clock: datetime = START
    approved: bool = True

    @staticmethod
    def in_folder(folder: Path, **given: Any) -> Made:
        return Made(open_ledger(folder / "record.db"), **given).prepared()

    def prepared(self) -> Made:
        for role in ("operator", "checker", "shift_leader", "author", "reviewer", "qc", "qa"):
            self.people[role] = enrol_person(self.ledger, f"The {role}", [role], scripted=True)
        receive_lots(self.ledger, lots(), self.people["qc"], at=START)
        if self.approved:
            approve_recipe(
                self.ledger, self.control, author=self.people["author"], approver=self.people["qa"], at=START
            )
        return self

    @property
    def record(self):
        return batch_record(self.ledger.events(subject=self.batch), self.batch)

    def events(self, type: str | None = None) -> list[Event]:
        return list(self.ledger.events(subject=self.batch, type=type))

    def add(self, type: str, payload: Mapping[str, Any], who: str = "operator", **more: Any) -> Event:
        actor = self.people.get(who, who)
        return self.ledger.append(Draft(type, self.batch, payload, actor, self.clock, **more))[0]

    def later(self, hours: float) -> None:
        self.clock += timedelta(hours=hours)

    def create(self) -> None:
        payload = {
            "recipe": self.control.recipe.name,
            "recipe_digest": self.control.digest,
            "master_digest": self.control.master_digest,
            "unit": self.control.unit,
            "volume": str(self.control.volume),
            "origin": "simulated",
        }
        self.add("batch.created", payload)
        self.command("", Command.START)

    def command(self, scope: str, *commands: Command) -> None:
        before = self.record.states.get(scope, State.IDLE)
        for command in commands:
            after = next_state(before, command)
            payload = {"unit_procedure": scope, "unit": "", "command": command, "before": before, "after": after}
            self.add("batch.state_changed", {name: str(item) for name, item in payload.items()})
            before = after

    def start(self, path: str, who: str = "operator") -> None:
        place = self.control.recipe.phase_at(path)
        settings = {name: str(value) for name, value in place.phase.set.items()}
        payload = {
            "phase": path,
            "unit": place.unit_procedure.unit or place.unit_procedure.unit_class,
            "do": place.phase.do,
            "settings": settings,
            "line": 1,
        }
        self.add("step.started", payload, who)

    def value(self, path: str, tag: str, value: str, limits: tuple[str, str] | None = None, **more: Any) -> Event:
        low, high = limits or (None, None)
        payload = {
            "phase": path,
            "tag": tag,
            "value": value,
            "unit": more.pop("unit", ""),
            "low": low,
            "high": high,
            "within": more.pop("within", limits is None or float(low or 0) <= float(value) <= float(high or 0)),
            "kind": more.pop("kind", "reading"),
            "origin": "simulated",
        }
        return self.add("step.value_recorded", payload | more.pop("payload", {}), **more)

    def consume(self, path: str, name: str, material: str, amount: str, target: str | None = None) -> None:
        payload = {
            "lot": name,
            "material": material,
            "amount": amount,
            "unit": "g",
            "target": target,
            "tolerance_percent": None if target is None else "2",
            "phase": path,
        }
        self.add("lot.consumed", payload)

    def check(self, path: str, who: str = "checker") -> None:
        draft = Draft("step.checked", self.batch, {"phase": path, "meaning": "checked"}, self.people[who], self.clock)
        append_signed(self.ledger, draft, "checked")

    def complete(self, path: str, who: str = "operator") -> Event:
        return self.add("step.completed", {"phase": path, "duration_h": "1", "ended_by": "duration"}, who)

    def release_hold_point(self, path: str, who: str = "shift_leader") -> None:
        (end,) = [item for item in self.events("step.completed") if item.payload["phase"] == path]
        sign(self.ledger, self.people[who], end.digest, "hold point", subject=self.batch, occurred_at=self.clock)

    def phase(self, path: str, *, checker: str = "checker", readings: Sequence[str] = IN_LIMITS) -> None:
        """One whole phase with what belongs to it."""
        name = path.rpartition("/")[2]
        self.start(path)
        if name == "thaw":
            self.value(path, "performed", "yes", kind="entry", who="operator")
            self.consume(path, "BANK-1", "bank", "1")
        elif name == "charge":
            size = 1000 if path.startswith("production") else 10
            self.consume(path, "SUGAR-1", "sugar", f"{size * 0.1:g}", f"{size * 0.1:g}")
            self.consume(path, "WATER-1", "water", f"{size * 9.8:g}", f"{size * 9.8:g}")
        elif name == "grow":
            for reading in readings:
                self.later(0.1)
                self.value(path, "pH", reading, ("6.8", "7.2"), who="executor", device="T.pH")
            self.value(path, "pH", "6.99", ("6.8", "7.2"), kind="calculated", who="executor")
            self.value(path, "biomass", "4.1", ("3", "5"), unit="g/L", kind="sample", who="executor")
        elif name == "fill":
            self.consume(path, "VIAL-1", "vial", "200")
        self.later(1)
        if self.control.recipe.phase(path).second_person and checker:
            self.check(path, checker)
        self.complete(path)

    def run(self, *, readings: Sequence[str] = IN_LIMITS, checker: str = "checker", hold_point: bool = True) -> Made:
        """The whole batch up to its produced lot."""
        self.create()
        for place in self.control.recipe.phases():
            self.phase(place.path, checker=checker, readings=readings)
            if place.phase.hold_point and hold_point:
                self.release_hold_point(place.path)
        payload = {
            "lot": self.batch,
            "material": "thing",
            "amount": "20.1",
            "unit": "g",
            "from": [],
            "origin": "simulated",
        }
        self.add("lot.produced", payload)
        self.command("", Command.COMPLETE)
        return self

    def results(self, values: Mapping[str, str] = GOOD, sample: str = "QC-1", **more: Any) -> tuple[Event, ...]:
        specification = self.control.recipe.specification
        found = [
            Result(name, parse(text) if text[0].isdigit() else text, specification.line(name).method, sample, **more)
            for name, text in values.items()
        ]
        return record_results(self.ledger, self.batch, specification, found, self.people["qc"], at=self.clock)

    def deviations(self) -> None:
        """Open what is to be opened, and close everything."""
        open_deviations(self.ledger, self.batch, self.people["operator"])
        for item in self.record.deviations:
            answers = {"impact": "none: the feed went on", "cause": "ammonia line dry", "action": "line refilled"}
            given: dict[str, Any] = {**answers, "classification": "minor", "actor": self.people["qa"]}
            close_deviation(self.ledger, self.batch, item.deviation, **given, at=self.clock)

    def quality(self, values: Mapping[str, str] = GOOD):
        """Everything after the batch, up to the decision."""
        self.deviations()
        self.results(values)
        self.review()
        return self.decide()

    def review(self, who: str = "reviewer"):
        """Every exception acknowledged with the same comment, and the review signed."""
        return review(self.ledger, self.batch, self.people[who], comment="seen", at=self.clock)

    def decide(self):
        return decide_release(self.ledger, self.batch, self.people["qa"], at=self.clock)
