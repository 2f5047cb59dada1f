"""A small recipe with hand-made truth: short, without natural excursions, and with every feature of a phase in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from seedtrain.automation import FaultEntry, execute
from seedtrain.quality import Lot
from seedtrain.quantity import Quantity
from seedtrain.recipe import ControlRecipe, PermitRequest, Refusal, SeedUnit, at_scale, parse_recipe
from seedtrain.record import Event, Ledger, enrol_person, open_ledger
from seedtrain.simulation import PhaseSpan, Run, StepResult, Stream, Variable
from tests.automation.played import PlayedPlant

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BATCH = "B-1"

RECIPE = """
recipe: small
title: Small
version: "1"
product: thing
culture: none
basis: {unit: T, volume: 10 L}
materials:
  medium: {composition: {sugar: 10 g/L, water: 0.98 kg/L}}
  feed: {composition: {sugar: 500 g/L, water: 0.7 kg/L}}
  base: {composition: {ammonia-water: 0.9 kg/L}}
  buffer: {composition: {salts: 5 g/L, water: 1 kg/L}}
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
          - phase: grow
            do: grow
            set: {temperature: 37 degC}
            until: biomass >= 4 g/L
            at_most: 5 h
            limits: {temperature: 36 .. 38 degC}
            sample: {biomass: 3 .. 5 g/L}
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: main
        phases:
          - {phase: sterilise, do: sterilise, set: {temperature: 121 degC}, duration: 30 min}
          - {phase: charge, do: charge, set: {material: medium, volume: 10 L}, duration: 30 min}
          - {phase: inoculate, do: inoculate, set: {inoculum_fraction: 1 %}, duration: 6 min}
          - phase: fed
            do: feed
            set:
              material: feed
              initial_rate: 100 mL/h
              growth_rate: 0.2 1/h
              temperature: 37 degC
              pH: 7.0
              aeration: 1 vvm
            until: elapsed >= 6 h
            at_most: 8 h
            limits: {temperature: 36 .. 38 degC, pH: 6.8 .. 7.2}
            sample: {biomass: 10 .. 30 g/L, product: 1 .. 4 g/L}
            hold_point: The broth goes to harvest.
            hold_time: 4 h
  - unit_procedure: harvest
    unit_class: centrifuge
    operations:
      - operation: recovery
        phases:
          - phase: spin
            do: centrifuge
            set: {flux: 4e-9 m/s, solids_fraction: 0.5, temperature: 10 degC}
            limits: {temperature: 5 .. 15 degC}
            sample: {cell_loss: 0 .. 5 %}
          - phase: resuspend
            do: dilute
            set: {material: buffer, fold: 2}
            duration: 30 min
          - phase: approve
            do: manual
            instruction: Look at it.
            until: signature reviewer
            at_most: 2 h
  - unit_procedure: filling
    unit_class: filling_line
    operations:
      - operation: fill
        phases:
          - phase: fill
            do: fill
            set: {container: vial, mass: 100 mg, loss: 0.5 %}
            limits: {mass: 95 .. 105 mg}
            second_person: true
control_strategy:
  - attribute: titre
    at: production/main/fed
    parameter: growth_rate
    range: 0.15 .. 0.25 1/h
    detector: scale
    sample: biomass
    action: Lower the feed.
  - attribute: titre
    at: production/main/fed
    parameter: pH
    range: 6.9 .. 7.1
    detector: electrode
    sample: product
    action: Open a deviation.
  - attribute: content
    at: filling/fill/fill
    parameter: loss
    range: 0 .. 1 %
    detector: none
    sample: none
    action: Count again.
"""


def control_recipe() -> ControlRecipe:
    master = parse_recipe(RECIPE, "small.yaml")
    seeds = [SeedUnit("F", "shake_flask", Quantity(100, "mL"))]
    return at_scale(master, unit="T", volume=Quantity(10, "L"), seeds=seeds)


def _variables(time: np.ndarray, **columns: tuple[np.ndarray | float, str]) -> dict[str, Variable]:
    return {
        name: Variable(name, unit, np.broadcast_to(np.asarray(values, dtype=float), time.shape).copy())
        for name, (values, unit) in columns.items()
    }


def seed_run() -> Run:
    time = np.linspace(0.0, 4.0, 41)
    columns = _variables(time, DCW=(4.0 * np.exp(0.5 * (time - 4.0)), "g/L"), T=(37.0, "degC"))
    phases = (PhaseSpan("seed/expansion/grow", 0.0, 4.0),)
    return Run("simulated", "", "none", "F", "seed", time, columns, phases)


def production_run() -> Run:
    time = np.linspace(0.0, 6.0, 241)
    biomass = 20.0 * np.exp(0.2 * (time - 6.0))
    columns = _variables(
        time,
        DCW=(biomass, "g/L"),
        P=(0.1 * biomass, "g/L"),
        S=(0.05, "g/L"),
        DO_percent=(40.0, "%"),
        T=(37.0, "degC"),
        pH=(7.0, ""),
        N=(300.0, "1/min"),
        V=(10.0 + 0.1 * np.expm1(0.2 * time) / 0.2, "L"),
        F=(0.1 * np.exp(0.2 * time), "L/h"),
        B=(0.01, "L/h"),
        OUR=(2.0 * biomass, "mmol/L/h"),
        CER=(2.0 * biomass, "mmol/L/h"),
    )
    return Run("simulated", "", "none", "T", "production", time, columns, (PhaseSpan("production/main/fed", 0.0, 6.0),))


def step_results() -> tuple[StepResult, ...]:
    broth = Stream("broth", 11.0, {"product": 22.0, "water": 11000.0})
    spun = Stream("spun", 4.0, {"product": 21.0, "water": 4000.0})
    filled = Stream("filled", 0.0, {"product": 20.0})

    def step(path: str, kind: str, came: Stream, left: Stream, hours: float, **more: object) -> StepResult:
        return StepResult(path, kind, (came,), left, (), hours, 0.95, 0.0, **more)  # type: ignore[arg-type]

    return (
        step("harvest/recovery/spin", "centrifuge", broth, spun, 1.0, performance={"cell_loss": (4.0, "%")}),
        step("harvest/recovery/resuspend", "dilute", spun, spun, 0.5, materials={"buffer": (4.0, "L")}),
        step("filling/fill/fill", "fill", spun, filled, 0.5, materials={"vial": (200.0, "")}),
    )


def lots() -> list[Lot]:
    def lot(name: str, material: str, quantity: str, expiry: date, status: str = "released") -> Lot:
        from seedtrain.quantity import parse

        return Lot(name, material, "x", parse(quantity), expiry, status)  # type: ignore[arg-type]

    far = date(2030, 1, 1)
    return [
        lot("BANK-1", "bank", "10 mL", far),
        lot("SUGAR-new", "sugar", "50 kg", far),
        lot("SUGAR-old", "sugar", "110 g", date(2027, 1, 1)),
        lot("SUGAR-expired", "sugar", "50 kg", date(2026, 3, 1)),
        lot("SUGAR-bad", "sugar", "50 kg", date(2026, 6, 1), "rejected"),
        lot("WATER-1", "water", "5 t", far),
        lot("NH3-1", "ammonia-water", "5 kg", far),
        lot("SALT-1", "salts", "5 kg", far),
        lot("VIAL-1", "vial", "500", far),
    ]


@dataclass
class Yes:
    """Permits all but what is named; remembers what it was asked."""

    refuse: dict[str, Refusal] = field(default_factory=dict)
    asked: list[PermitRequest] = field(default_factory=list)

    def check(self, request: PermitRequest) -> Refusal | None:
        self.asked.append(request)
        return self.refuse.get(request.phase_path)


def plant(
    control: ControlRecipe, faults: Iterable[FaultEntry] = (), *, seed: int = 0, seeds: Run | None = None
) -> PlayedPlant:
    return PlayedPlant(
        control,
        production=production_run(),
        seeds=[seeds or seed_run()],
        steps=step_results(),
        faults=list(faults),
        units=["OTHER"],
        seed=seed,
    )


def crew(ledger: Ledger) -> dict[str, str]:
    roles = ("operator", "checker", "shift_leader", "reviewer")
    return {role: enrol_person(ledger, role, [role], scripted=True) for role in roles}


def ledger_in(folder: Path) -> Ledger:
    return open_ledger(folder / "record.db")


def run_batch(ledger: Ledger, **given: object) -> Run:
    """One batch with defaults for everything that is not given."""
    control = given.pop("control", None) or control_recipe()
    assert isinstance(control, ControlRecipe)
    defaults: dict[str, object] = {
        "batch": BATCH,
        "operators": crew(ledger),
        "lots": lots(),
        "permit": Yes(),
        "start": START,
    }
    device = given.pop("plant", None) or plant(control)
    return execute(control, device, ledger, **{**defaults, **given})  # type: ignore[arg-type]


def story(events: Iterable[Event]) -> list[tuple[object, ...]]:
    """What happened, without ids, signatures' random parts and the wall clock."""
    return [
        (item.type, item.subject, item.occurred_at, item.actor, item.device, dict(item.payload))
        if item.type != "signature.applied"
        else (item.type, item.subject, item.actor, item.payload["meaning"])
        for item in events
    ]
