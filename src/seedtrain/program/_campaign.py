"""The campaign of a program: what is varied and measured at the bench, and which parameters that is to tell."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.base import Document, InputError, SeedtrainError, collect, load
from seedtrain.development import ErrorModel
from seedtrain.quantity import Measure, MeasureRange, Quantity, QuantityError, Range, same_dimension
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture

FILE: Final = "campaign.yaml"
FEWEST: Final = 4
MOST: Final = 200
TIMED: Final = ("until", "duration")
"""Numbers of a phase that are no set points and can be varied all the same."""
EXPERIMENTS: Final = {"bench run": 2500.0, "step test": 4000.0, "pilot run": 30000.0, "supplier quote": 150.0}
"""USD each: a fed-batch at the bench with its assays, one downstream step at small scale with its assays, a batch in
the pilot vessel, one quote. Assumed; a campaign's `experiments` replaces them."""


def _whole(least: int, most: int | None = None) -> BeforeValidator:
    """A whole number from `least` to `most`."""

    def check(text: object) -> int:
        try:
            value = int(str(text))
        except ValueError:
            raise ValueError(f"{text!r} is no whole number | Give one, such as {max(least, 1)}.") from None
        if value < least or (most is not None and value > most):
            span = f"from {least} to {most}" if most is not None else f"of {least} or more"
            raise ValueError(f"{value} is out of range | Give a whole number {span}.")
        return value

    return BeforeValidator(check)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FactorEntry(_Entry):
    """A number of the recipe that the runs vary; `choose: no` keeps the recipe's own value afterwards."""

    at: str
    parameter: str
    range: Annotated[Range, MeasureRange(None)]
    choose: bool = True


class MeasureEntry(_Entry):
    """What is read: every so often and at the end, with an error of so much of it (`5 %`) or in its unit (`0.1 g/L`).

    `least`: what the method can tell from nothing; a reading below leaves the cell empty.
    """

    symbol: str
    error: Annotated[Quantity, Measure(None)]
    every: Annotated[Quantity, Measure("h")]
    least: Annotated[Quantity, Measure(None)] | None = None


class CampaignEntry(_Entry):
    """The whole of `campaign.yaml`.

    - `data`: the mapping of one's own readings; `sheet`: a table of what each run was set to, where the mapping's `set`
      does not say it. Without readings the runs are virtual. `fitted`: a fit.json of one's own, with which nothing is
      run at all.
    - `seed`: of the design and the assay errors; `truth`: of the hidden truth that virtual runs follow.
    - `fit`: parameters; `ranges`: where they may lie, over the culture's own. - `experiments`: what one costs.
    - `confirm`: virtual runs at each scale that are compared; `margin`: the difference that does not matter.
    """

    campaign: str = Field(min_length=1)
    runs: Annotated[int, _whole(FEWEST, MOST)] = 24
    seed: Annotated[int, _whole(0)] = 1
    truth: Annotated[int, _whole(0)] = 1
    factors: list[FactorEntry] = Field(default_factory=list)
    measure: list[MeasureEntry] = Field(default_factory=list)
    fit: list[str] = Field(min_length=1)
    ranges: dict[str, Annotated[Range, MeasureRange(None)]] = Field(default_factory=dict)
    data: str = ""
    sheet: str = ""
    fitted: str = ""
    experiments: dict[str, Annotated[Quantity, Measure("USD")]] = Field(default_factory=dict)
    confirm: Annotated[int, _whole(2, 50)] = 6
    margin: str = "15 %"


@dataclass(frozen=True)
class Factor:
    """A number of the recipe between `low` and `high`, in the recipe's own `unit`; `value` is the recipe's."""

    path: str
    parameter: str
    unit: str
    value: float
    low: float
    high: float
    choose: bool

    @property
    def label(self) -> str:
        """Path and name, as a column of the sheet of runs is called."""
        return f"{self.path}:{self.parameter}"

    def quantity(self, value: float) -> Quantity:
        """A value of it, to the digits that can be set."""
        return Quantity(float(f"{value:.4g}"), self.unit)


@dataclass(frozen=True)
class Assay:
    """What is read of a run: `error` is relative where `proportional`, else in the symbol's own unit."""

    symbol: str
    unit: str
    error: float
    proportional: bool
    every: float
    least: float

    @property
    def model(self) -> ErrorModel:
        """The error as a fit knows it."""
        return ErrorModel("proportional" if self.proportional else "constant", self.error)


@dataclass(frozen=True)
class Campaign:
    """A campaign, checked against recipe and culture; `ranges` of the parameters to fit, in their units."""

    entry: CampaignEntry
    document: Document
    factors: tuple[Factor, ...]
    assays: tuple[Assay, ...]
    ranges: Mapping[str, tuple[float, float]]
    costs: Mapping[str, float]

    @property
    def virtual(self) -> bool:
        """Whether its runs are simulated from a hidden truth."""
        return not (self.entry.data or self.entry.fitted)

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return Path(self.document.file).parent

    def recipe(self, recipe: MasterRecipe, values: Sequence[float]) -> MasterRecipe:
        """`recipe` with the factors set."""
        for factor, value in zip(self.factors, values, strict=True):
            recipe = recipe.with_value(factor.path, factor.parameter, factor.quantity(value))
        return recipe

    def to_data(self) -> dict[str, Any]:
        """What its runs and its fit depend on."""
        entry = self.entry
        return {
            "runs": entry.runs, "seed": entry.seed, "truth": entry.truth, "virtual": self.virtual,
            "factors": [[item.label, item.unit, item.low, item.high] for item in self.factors],
            "assays": [[*vars(item).values()] for item in self.assays],
            "ranges": {name: list(ends) for name, ends in self.ranges.items()},
        }  # fmt: skip


def read_campaign(path: Path, recipe: MasterRecipe, culture: Culture) -> Campaign:
    """Read `campaign.yaml`; raises `InputErrors` with every fault and its place."""
    entry, document = load(path, CampaignEntry, what="campaign")
    errors: list[SeedtrainError] = []
    errors += _mode_faults(entry, document)
    factors = _read(errors, (_factor(item, at, recipe, document) for at, item in enumerate(entry.factors)))
    assays = _read(errors, (_assay(item, at, culture, document) for at, item in enumerate(entry.measure)))
    for name, labels in (("factors", [item.label for item in factors]), ("measure", [item.symbol for item in assays])):
        errors += [
            document.error((name, at), f"{label} stands twice", remedy="Name it once.")
            for at, label in enumerate(labels)
            if label in labels[:at]
        ]
    ranges: dict[str, tuple[float, float]] = {}
    for at, name in enumerate(entry.fit):
        try:
            ranges[name] = _range(entry, name, at, culture, document)
        except SeedtrainError as error:
            errors.append(error)
    errors += _range_faults(entry, document)
    errors += _cost_faults(entry, document)
    collect(errors)
    costs = EXPERIMENTS | {name: item.magnitude("USD") for name, item in entry.experiments.items()}
    return Campaign(entry, document, tuple(factors), tuple(assays), ranges, costs)


def _read(errors: list[SeedtrainError], found: Iterator[Any]) -> list[Any]:
    """Everything that can be read; the faults of the rest go to `errors`."""
    kept = []
    for item in found:
        if isinstance(item, SeedtrainError):
            errors.append(item)
        else:
            kept.append(item)
    return kept


def _mode_faults(entry: CampaignEntry, document: Document) -> list[SeedtrainError]:
    faults: list[SeedtrainError] = []
    if entry.fitted and (entry.data or entry.sheet):
        faults.append(document.error(("fitted",), "a fit and data of one's own", remedy="Give one of the two."))
    if entry.sheet and not entry.data and not entry.fitted:
        words = "a table of what each run was set to, without their readings"
        faults.append(document.error(("sheet",), words, remedy="Give data: bench/mapping.yaml too."))
    for key in ("data", "sheet", "fitted"):
        named = getattr(entry, key)
        if named and not (Path(document.file).parent / named).is_file():
            faults.append(document.error((key,), f"there is no file {named!r}", remedy="Name one beside the campaign."))
    if not entry.fitted:
        if not entry.factors:
            remedy = "Name factors of the recipe: factors: [...]; a fit of your own (`fitted: fit.json`) needs none."
            faults.append(document.error((), "nothing is varied", remedy=remedy))
        if not entry.measure:
            faults.append(document.error((), "nothing is measured", remedy="Name what is read: measure: [...]"))
    if entry.runs < len(entry.factors) + 2:
        words = f"{entry.runs} runs are too few for {len(entry.factors)} factors"
        faults.append(document.error(("runs",), words, remedy=f"Ask for {len(entry.factors) + 2} or more."))
    if not re.fullmatch(r"\s*\d+(\.\d+)?\s*%\s*", entry.margin) or not 0 < float(entry.margin.split("%")[0]) < 100:
        faults.append(document.error(("margin",), f"{entry.margin!r} is no margin", remedy="Write one such as 15 %."))
    return faults


def _factor(entry: FactorEntry, at: int, recipe: MasterRecipe, document: Document) -> Factor | SeedtrainError:
    place: tuple[str | int, ...] = ("factors", at)
    try:
        phase = recipe.phase(entry.at)
    except InputError as error:
        return document.error((*place, "at"), error.message, remedy=error.remedy)
    now = phase.quantity(entry.parameter)
    if now is None:
        known = [name for name in (*phase.set, *TIMED) if phase.quantity(name) is not None]
        words = f"{entry.at} has no number {entry.parameter!r}"
        return document.error((*place, "parameter"), words, remedy=f"Use one of: {', '.join(known)}.")
    low, high = entry.range.low, entry.range.high
    if low is None or high is None or not same_dimension(entry.range.unit, now.unit):
        words = f"{entry.range} is no range of {now}"
        return document.error((*place, "range"), words, remedy=f"Give both ends in {now.unit or 'plain numbers'}.")
    ends = low.magnitude(now.unit), high.magnitude(now.unit)
    if not ends[0] < ends[1]:
        return document.error((*place, "range"), "the range has no width", remedy="Give a lower and a higher end.")
    if not ends[0] <= now.value <= ends[1]:
        words = f"the recipe's own {now} lies outside {entry.range}"
        return document.error((*place, "range"), words, remedy="Choose a range that holds it.")
    for value in ends:
        try:
            recipe.with_value(entry.at, entry.parameter, Quantity(value, now.unit))
        except InputError as error:
            return document.error((*place, "range"), error.message, remedy=error.remedy)
    return Factor(entry.at, entry.parameter, now.unit, now.value, *ends, entry.choose)


def _assay(entry: MeasureEntry, at: int, culture: Culture, document: Document) -> Assay | SeedtrainError:
    place: tuple[str | int, ...] = ("measure", at)
    known = [*culture.species, "DCW"]
    if entry.symbol not in known:
        words = f"culture {culture.name} has no {entry.symbol!r} that is read from a sample"
        return document.error((*place, "symbol"), words, remedy=f"Use one of: {', '.join(known)}.")
    unit = "g/L" if entry.symbol == "DCW" else culture.species[entry.symbol].unit
    proportional = same_dimension(entry.error.unit, "%")
    if not proportional and not same_dimension(entry.error.unit, unit):
        words = f"{entry.error} is no error of {entry.symbol}"
        return document.error((*place, "error"), words, remedy=f"Give a part such as 5 %, or a number in {unit}.")
    error = entry.error.magnitude("" if proportional else unit)
    if not error > 0 or (proportional and error >= 1):
        words = f"an error of {entry.error} is none that a method has"
        return document.error((*place, "error"), words, remedy="Give one above 0 and, as a part, below 100 %.")
    if not entry.every.magnitude("h") > 0:
        return document.error((*place, "every"), f"{entry.every} is no interval", remedy="Give one such as 3 h.")
    try:
        least = entry.least.magnitude(unit) if entry.least else 0.0
    except QuantityError as fault:
        return document.error((*place, "least"), fault.message, remedy=f"Give it in {unit}.")
    return Assay(entry.symbol, unit, error, proportional, entry.every.magnitude("h"), least)


def _range(
    entry: CampaignEntry, name: str, at: int, culture: Culture, document: Document
) -> tuple[float, float]:  # fmt: skip
    """Where a parameter may lie, in its unit; raises `InputError` with its place."""
    if name not in culture.parameters:
        known = ", ".join(culture.parameters)
        words = f"culture {culture.name} has no parameter {name!r}"
        raise document.error(("fit", at), words, remedy=f"Use one of: {known}.")
    if name in entry.fit[:at]:
        raise document.error(("fit", at), f"{name} is to be fitted twice", remedy="Name it once.")
    about = culture.parameters[name]
    low, high = about.low, about.high
    given = entry.ranges.get(name)
    if given is not None:
        if given.low is None or given.high is None or not same_dimension(given.unit, about.unit):
            words = f"{given} is no range of {name}"
            raise document.error(("ranges", name), words, remedy=f"Give both ends in {about.unit or 'plain numbers'}.")
        low, high = given.low.magnitude(about.unit), given.high.magnitude(about.unit)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        words = f"{name} has no range: the culture file says {about.low:g} .. {about.high:g} {about.unit}"
        raise document.error(("fit", at), words, remedy=f"Give one: ranges: {{{name}: LOW .. HIGH {about.unit}}}.")
    return low, high


def _range_faults(entry: CampaignEntry, document: Document) -> list[SeedtrainError]:
    return [
        document.error(("ranges", name), f"{name} is not fitted", remedy=f"Use one of: {', '.join(entry.fit)}.")
        for name in entry.ranges
        if name not in entry.fit
    ]


def _cost_faults(entry: CampaignEntry, document: Document) -> list[SeedtrainError]:
    faults: list[SeedtrainError] = []
    for name, cost in entry.experiments.items():
        if name not in EXPERIMENTS:
            known = ", ".join(EXPERIMENTS)
            words = f"{name!r} is no experiment that is known here"
            faults.append(document.error(("experiments", name), words, remedy=f"Use some of: {known}."))
        elif cost.magnitude("USD") < 0:
            words = f"{cost} is negative"
            faults.append(document.error(("experiments", name), words, remedy="Give what one costs, such as 2500 USD."))
    return faults
