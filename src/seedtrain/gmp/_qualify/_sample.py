"""A small batch made by people on paper, from its recipe to its release, in a ledger of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._by_hand._enter import dispense, enter_value
from seedtrain.gmp._by_hand._phase import begin_phase, check_by_second, complete_phase, sign_phase
from seedtrain.gmp._by_hand._remarks import correct_entry
from seedtrain.gmp._by_hand._start import finish_batch, start_batch
from seedtrain.gmp._lots._received import receive_lots
from seedtrain.gmp._master._approval import approve_recipe
from seedtrain.gmp._quality._deviations import close_deviation
from seedtrain.gmp._quality._excursions import open_deviations
from seedtrain.gmp._quality._release import decide_release
from seedtrain.gmp._quality._results import record_results
from seedtrain.gmp._quality._review import review
from seedtrain.quality import Constituent, Lot, LotStatus, Result
from seedtrain.quantity import parse
from seedtrain.recipe import ControlRecipe, at_scale, parse_recipe
from seedtrain.record import Ledger, enrol_person, open_ledger, train

BATCH: Final = "Q-1"
WEIGH: Final = "preparation/mix/weigh"
MEASURE: Final = "preparation/mix/measure"
FILL: Final = "filling/fill/fill"
LOT: Final = "SALT-1"
COURSE: Final = "weighing"
ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "operator": ("operator",),
    "checker": ("checker",),
    "leader": ("shift_leader",),
    "author": ("author",),
    "approver": ("quality_assurance",),
    "analyst": ("quality_control",),
    "reviewer": ("reviewer",),
    "quality": ("quality_assurance",),
}
GOOD: Final = {"identity": "conforms", "content": "0.90 %"}


def sample_recipe() -> ControlRecipe:
    """The recipe of the batch."""
    master = parse_recipe(files("seedtrain.gmp").joinpath("_qualify/sample.yaml").read_text("utf-8"), "sample.yaml")
    return at_scale(master, unit=master.basis_unit, volume=master.basis_volume)


def salt(name: str = LOT, status: LotStatus = "released", expiry: date = date(2100, 1, 1)) -> Lot:
    """A lot of the one material."""
    inside = (Constituent("sodium chloride", "mineral"),)
    return Lot(name, "salt", "Supplier", parse("1000 g"), expiry, status, inside)


@dataclass
class Sample:
    """A ledger with people, a lot and an approved recipe, and the acts of a batch one by one.

    The people are scripts: what a real person's signature takes is checked apart.
    """

    ledger: Ledger
    control: ControlRecipe = field(default_factory=sample_recipe)
    people: dict[str, str] = field(default_factory=dict)
    batch: str = BATCH

    @staticmethod
    def open(path: Path, *, approved: bool = True, clock: Callable[[], datetime] | None = None) -> Sample:
        """People, lot and recipe."""
        found = Sample(open_ledger(path, clock=clock))
        for word, roles in ROLES.items():
            found.people[word] = enrol_person(found.ledger, f"The {word}", roles, scripted=True)
        for word in ("operator", "checker"):
            train(found.ledger, found.people[word], COURSE)
        receive_lots(found.ledger, [salt()], found.people["analyst"])
        if approved:
            author, approver = found.people["author"], found.people["approver"]
            approve_recipe(found.ledger, found.control, author=author, approver=approver)
        return found

    @staticmethod
    def make(path: Path) -> Sample:
        """The whole way, with one correction on it: what is printed has something to mark."""
        made = Sample.open(path)
        made.start()
        made.weigh()
        made.measure(corrected="1204")
        made.fill()
        made.finish()
        made.judge()
        return made

    @property
    def record(self) -> BatchRecord:
        """The batch as the ledger has it."""
        return batch_record(self.ledger.events(subject=self.batch), self.batch)

    def start(self) -> None:
        """Create the batch."""
        start_batch(self.ledger, self.control, self.batch, self.people["operator"], simulated=True)

    def begin(self, phase: str, who: str = "operator", **more: Any) -> None:
        """Begin a phase."""
        begin_phase(self.ledger, self.batch, phase, self.people[who], **more)

    def enter(self, phase: str, tag: str, value: str, unit: str = "", who: str = "operator") -> None:
        """Enter one value."""
        enter_value(self.ledger, self.batch, phase, tag, value, unit, self.people[who])

    def complete(self, phase: str, who: str = "operator") -> None:
        """Complete a phase."""
        complete_phase(self.ledger, self.batch, phase, self.people[who])

    def weigh(self, *, check: bool = True) -> None:
        """The first phase, with its second person."""
        self.begin(WEIGH)
        dispense(self.ledger, self.batch, WEIGH, LOT, "9.02", "g", self.people["operator"])
        self.enter(WEIGH, "appearance", "clear")
        self.complete(WEIGH)
        if check:
            check_by_second(self.ledger, self.batch, WEIGH, self.people["checker"])

    def measure(self, pH: str = "7.0", corrected: str = "") -> None:
        """The second phase, with its calculation and its hold point; `corrected`: what the gross weight becomes."""
        self.begin(MEASURE)
        self.enter(MEASURE, "gross", "1205", "g")
        self.enter(MEASURE, "tare", "200", "g")
        self.enter(MEASURE, "pH", pH)
        if corrected:
            operator = self.people["operator"]
            correct_entry(self.ledger, self.batch, MEASURE, "gross", corrected, operator, reason="misread")
        self.complete(MEASURE)
        sign_phase(self.ledger, self.batch, MEASURE, self.people["leader"])

    def fill(self) -> None:
        """The last phase, with its yield."""
        self.begin(FILL)
        self.enter(FILL, "filled", "980", "g")
        self.complete(FILL)

    def finish(self) -> None:
        """The batch ends in a lot."""
        finish_batch(self.ledger, self.batch, self.people["operator"], amount="980", unit="g")

    def results(self, values: Mapping[str, str] = GOOD) -> None:
        """What the laboratory found."""
        specification = self.control.recipe.specification
        found = [
            Result(name, parse(text) if text[0].isdigit() else text, specification.line(name).method, "QC-1")
            for name, text in values.items()
        ]
        record_results(self.ledger, self.batch, specification, found, self.people["analyst"])

    def close_deviations(self) -> None:
        """Open a deviation for each excursion, and close them all."""
        open_deviations(self.ledger, self.batch, self.people["operator"])
        for item in self.record.deviations:
            close_deviation(
                self.ledger,
                self.batch,
                item.deviation,
                impact="none",
                cause="misread",
                action="read again",
                classification="minor",
                actor=self.people["quality"],
            )

    def judge(self, values: Mapping[str, str] = GOOD) -> str:
        """Results, deviations, review and decision; returns the decision."""
        self.results(values)
        self.close_deviations()
        review(self.ledger, self.batch, self.people["reviewer"], comment="seen")
        return self.decide()

    def decide(self) -> str:
        """Quality's decision."""
        return decide_release(self.ledger, self.batch, self.people["quality"]).decision


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)
