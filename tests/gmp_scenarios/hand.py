"""A bench where people run a batch by the command line: people, equipment, lots, an effective recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from seedtrain.gmp import receive_lots
from seedtrain.quality import Lot
from seedtrain.quantity import parse
from seedtrain.record import open_ledger
from tests.gmp_scenarios.journey import Answer, Journey
from tests.recipe.examples import ROOT

RECIPE = ROOT / "examples" / "buffer" / "recipe.yaml"
BATCH = "PBS-001"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

WATER, SALTS, ADJUST, VOLUME = (f"preparation/dissolve/{name}" for name in ("water", "salts", "adjust", "volume"))
FILL = "filling/fill/filter-and-fill"
PHASES = (WATER, SALTS, ADJUST, VOLUME, FILL)
EQUIPMENT = {
    "MIX-1": ("mixing_vessel", "--cleaned"),
    "BAL-1": ("balance", "--calibrated"),
    "PH-1": ("pH-meter", "--calibrated"),
    "FILL-1": ("filling_station", "--cleaned"),
}
LOTS = {
    "WFI-1": ("water-for-injection", "100 kg"),
    "NACL-1": ("sodium-chloride", "1 kg"),
    "KCL-1": ("potassium-chloride", "1 kg"),
    "NA2HPO4-1": ("disodium-hydrogen-phosphate", "1 kg"),
    "KH2PO4-1": ("potassium-dihydrogen-phosphate", "1 kg"),
    "BOTTLE-1": ("bottle", "500"),
    "FILTER-1": ("sterile-filter", "20"),
}
USED: dict[str, Sequence[str]] = {WATER: ["BAL-1"], SALTS: ["BAL-1"], ADJUST: ["PH-1"], VOLUME: ["BAL-1"], FILL: []}
DISPENSED: dict[str, Sequence[tuple[str, str, str]]] = {
    WATER: [("WFI-1", "800", "g")],
    SALTS: [
        ("NACL-1", "8.02", "g"),
        ("KCL-1", "0.200", "g"),
        ("NA2HPO4-1", "1.441", "g"),
        ("KH2PO4-1", "0.240", "g"),
    ],
    FILL: [("BOTTLE-1", "12", ""), ("FILTER-1", "1", "")],
}
ENTERED: dict[str, Sequence[tuple[str, str, str]]] = {
    SALTS: [("appearance", "clear", "")],
    ADJUST: [("pH", "7.41", ""), ("temperature", "21.5", "degC")],
    VOLUME: [("gross", "2509.0", "g"), ("tare", "1504.0", "g"), ("density", "1.005", "g/mL")],
    FILL: [
        ("filled", "10", ""),
        ("rejected", "1", ""),
        ("returned", "1", ""),
        ("volume", "955", "mL"),
        ("bubble_point", "3.5", "bar"),
    ],
}


class Bench(Journey):
    """`Bench.ready(tmp_path)`; people stand under their words in `who`."""

    who: dict[str, str]

    @classmethod
    def ready(cls, folder: Path, *, effective: bool = True, recipe: Path = RECIPE) -> Bench:
        """Everything up to the start of a batch."""
        bench = cls(folder, clock=NOW)
        bench.who = bench.crew(
            author="author",
            reviewer="reviewer",
            manager="production_management",
            qa="quality_assurance",
            operator="operator",
            second="operator",
            leader="shift_leader",
            metrology="metrology",
        )
        for person in ("operator", "second", "leader"):
            for course in ("weighing", "aseptic filling"):
                bench.done(bench.who["admin"], "person", "train", bench.who[person], course)
        bench.equip()
        bench.receive()
        if effective:
            bench.approve(recipe)
        return bench

    def by(self, word: str, *words: object) -> Any:
        """A command signed by the person of this word; it must succeed."""
        return self.done(self.who[word], *words)

    def refused(self, word: str, *words: object) -> Answer:
        """A command signed by the person of this word; it must be refused."""
        answer = self.signed(self.who[word], *words)
        assert answer.code == 2, answer.words
        return answer

    def equip(self) -> None:
        """Register, calibrate and clean."""
        for name, (kind, need) in EQUIPMENT.items():
            self.by("metrology", "equipment", "register", name, "--class", kind, need)
            if need == "--calibrated":
                self.by("metrology", "equipment", "calibrate", name, "--certificate", "C-1", "--due", "2026-12-31")
            else:
                self.clean(name)

    def clean(self, name: str) -> None:
        """Clean and check."""
        self.by("operator", "equipment", "clean", name, "--procedure", "SOP-7")
        self.by("second", "equipment", "check", name)

    def receive(self, **changed: Any) -> None:
        """Every lot, released and in date unless `changed` says otherwise for it."""
        lots = [
            Lot(name, material, "Supplier", parse(amount), expiry=date(2030, 1, 1), status="released")
            for name, (material, amount) in LOTS.items()
        ]
        with self.surroundings(), open_ledger(self.record) as ledger:
            receive_lots(ledger, lots)

    def approve(self, recipe: Path, reference: str = "pbs@1") -> None:
        """The whole life of a version up to effective."""
        self.by("author", "recipe", "submit", recipe)
        self.by("reviewer", "recipe", "review", reference, "--comment", "read against report 7")
        self.by("manager", "recipe", "approve", reference)
        self.by("qa", "recipe", "approve", reference)
        self.by("qa", "recipe", "effective", reference)
        self.later(minutes=1)

    def start(self, batch: str = BATCH, *more: object) -> Any:
        """Start a batch of the effective recipe."""
        return self.by("operator", "batch", "start", "pbs@1", "--batch", batch, *more)

    def commands(self, phase: str, batch: str = BATCH) -> Iterator[tuple[str, tuple[object, ...]]]:
        """Who does what in a phase, from its clearance to its last signature, in order."""
        if phase == FILL:
            yield "operator", ("batch", "clear", batch, "FILL-1", "--found", "empty, no bottles left")
        unit = ("--unit", "FILL-1") if phase == FILL else ()
        equipment = [item for name in USED[phase] for item in ("--equipment", name)]
        yield "operator", ("batch", "begin", batch, phase, *unit, *equipment)
        for lot, amount, measure in DISPENSED.get(phase, ()):
            yield "operator", ("batch", "dispense", batch, phase, lot, amount, *([measure] if measure else []))
        for tag, value, measure in ENTERED.get(phase, ()):
            yield "operator", ("batch", "enter", batch, phase, tag, value, *([measure] if measure else []))
        yield "operator", ("batch", "complete", batch, phase)
        if phase in (SALTS, FILL):
            yield "second", ("batch", "check", batch, phase)
        if phase == ADJUST:
            yield "leader", ("batch", "sign", batch, phase)

    def run_phase(self, phase: str, batch: str = BATCH) -> Any:
        """A whole phase; returns how the batch stands after it."""
        found = None
        for word, words in self.commands(phase, batch):
            self.later(minutes=1)
            found = self.by(word, *words)
        return found

    def run_batch(self, batch: str = BATCH) -> Any:
        """The whole batch, to its end."""
        for phase in PHASES:
            self.run_phase(phase, batch)
        return self.by("operator", "batch", "finish", batch, "950", "mL")
