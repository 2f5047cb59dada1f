"""The plan of a comparison: what is compared, and how large a difference does not matter, written before one looks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from seedtrain.base import translate as _
from seedtrain.comparison._equivalence import Margin
from seedtrain.comparison._profiles import Feature
from seedtrain.development import Dataset
from seedtrain.quantity import QuantityError, convert, parse, read_unit

By = Literal["scale", "vessel", "origin", "data"]
DEVIATIONS: Final = 1.5
"""The margin of a drafted plan, in standard deviations of the reference's runs: assumed, for a person to replace."""


def _hours(text: object) -> float:
    try:
        return parse(str(text), like="h").magnitude("h")
    except QuantityError as error:
        raise ValueError(f"{error} | Write a time such as 8 h.") from None


def _part(text: object) -> float:
    try:
        value = parse(str(text), like="").magnitude("")
    except QuantityError as error:
        raise ValueError(f"{error} | Write a part such as 90 %.") from None
    if not 0.5 <= value < 1:
        raise ValueError(f"{text} is no level | Give 50 % to 99.9 %.")
    return value


Hours = Annotated[float, BeforeValidator(_hours)]
Part = Annotated[float, BeforeValidator(_part)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class MarginEntry(_Entry):
    """A margin as it is written: `10 %` of the reference's mean, `1.5 SD` of its runs, or `0.5 g/L`."""

    text: str

    def margin(self, unit: str) -> Margin:
        """The margin, an absolute one in `unit`."""
        number, rest = _split(self.text)
        if rest == "%":
            return Margin(number / 100, "relative")
        return Margin(number, "deviations") if rest == "SD" else Margin(convert(number, rest or unit, unit), "absolute")


def _margin(text: object) -> MarginEntry:
    if isinstance(text, MarginEntry):
        return text
    number, rest = _split(str(text))
    if not number > 0 or (rest == "%" and number >= 100):
        raise ValueError(f"the margin {text} is none | Give one above 0, such as 10 %, 1.5 SD or 0.5 g/L.")
    if rest not in ("%", "SD"):
        try:
            read_unit(rest)
        except QuantityError as error:
            raise ValueError(f"{error} | Give a margin such as 10 %, 1.5 SD or 0.5 g/L.") from None
    return MarginEntry(text=str(text))


def _split(text: str) -> tuple[float, str]:
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(.*?)\s*", text)
    if not match:
        raise ValueError(f"{text!r} is no margin | Give one such as 10 %, 1.5 SD or 0.5 g/L.")
    return float(match[1]), match[2]


MarginText = Annotated[MarginEntry, BeforeValidator(_margin)]


class _Window(_Entry):
    symbol: str
    margin: MarginText
    start: Hours = Field(default=-math.inf, alias="from")
    end: Hours = Field(default=math.inf, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.end > self.start:
            raise ValueError(f"from {self.start:g} h to {self.end:g} h is no time | Give a later `to`.")
        return self


class NumberEntry(_Window):
    """One number a run: `take` says which; slopes and `mean` over `from` .. `to`, `value` at `to`."""

    take: Feature = "end"

    @model_validator(mode="after")
    def _at_a_time(self) -> Self:
        if self.take == "value" and not math.isfinite(self.end):
            raise ValueError("take: value needs a time | Give it: to: 8 h.")
        return self

    @property
    def name(self) -> str:
        """What machines call it: symbol, what is taken, and from when to when."""
        return f"{self.symbol}, {self.take}{self._span()}"

    @property
    def label(self) -> str:
        """What it is called in the language in use."""
        return f"{self.symbol}, {_taken(self.take)}{self._span()}"

    def _span(self) -> str:
        span = [f"{value:g}" for value in (self.start, self.end) if math.isfinite(value)]
        return f" ({' .. '.join(span)} h)" if span else ""


def _taken(take: Feature) -> str:
    return {
        "end": _("end"), "maximum": _("maximum"), "mean": _("mean"), "value": _("value"), "slope": _("slope"),
        "log slope": _("log slope"),
    }[take]  # fmt: skip


class ProfileEntry(_Window):
    """A whole shape over time."""


class SensorEntry(_Entry):
    """A sensor and the assay of the same thing, under two symbols; `margin` of its bias."""

    sensor: str
    assay: str
    margin: MarginText


class SpectraEntry(_Entry):
    """A calibration of an assay on spectra: those of the mappings, or a table beside the plan.

    - Of the mappings: `assay` is a symbol of the runs, and each of its readings goes with the spectrum of its run that
      is nearest in time, at most `within` away. `of`: which spectra, where the mappings have several kinds.
    - A `file` has its own columns of `run`, `scale` and `assay`.
    - `made_at`: the scale whose spectra make the calibration. - `limit`: of the error at every other scale, in `unit`
      (that of the symbol if not given).
    """

    file: str = ""
    of: str = ""
    run: str = "run"
    scale: str = "scale"
    assay: str
    unit: str = ""
    made_at: str
    limit: float = Field(gt=0)
    within: Hours = 0.25

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.file and self.of:
            raise ValueError("a file and spectra of the mappings | Keep one of `file` and `of`.")
        if not self.within >= 0:
            raise ValueError(f"within {self.within:g} h | Give 0 h or more.")
        return self


class FeaturesEntry(_Entry):
    """A table beside the plan with one row a run (omics, images); `run` names its column of runs.

    Tables that a mapping lists with the kind `features` need no entry here.
    """

    file: str
    run: str = "run"


class PredictionEntry(_Entry):
    """The bias of a prediction that does not matter."""

    symbol: str
    margin: MarginText


class PlanEntry(_Entry):
    """The whole plan."""

    comparison: str = Field(min_length=1)
    by: By = "scale"
    reference: str
    level: Part = 0.90
    numbers: list[NumberEntry] = Field(default_factory=list)
    profiles: list[ProfileEntry] = Field(default_factory=list)
    sensors: list[SensorEntry] = Field(default_factory=list)
    spectra: list[SpectraEntry] = Field(default_factory=list)
    features: list[FeaturesEntry] = Field(default_factory=list)
    predictions: list[PredictionEntry] = Field(default_factory=list)
    multivariate: bool = True


GROWS_WITH_VESSEL: Final = ("V", "F", "gas", "sample_volume", "N", "F_base")
"""Symbols that another vessel changes without any meaning: a drafted plan leaves them out, and says so."""


def draft_plan(datasets: Sequence[Dataset], *, by: By = "scale", reference: str = "") -> str:
    """A plan of everything that two groups share, as YAML: its margins are assumed, for a person to replace."""
    symbols = list(dict.fromkeys(s for data in datasets for run in data.runs.values() for s in run.variables))
    shared = [s for s in symbols if all(any(s in r.variables for r in data.runs.values()) for data in datasets)]
    left = [s for s in shared if s in GROWS_WITH_VESSEL] if by in ("scale", "vessel") else []
    shared = [s for s in shared if s not in left]
    margin = f"margin: {DEVIATIONS:g} SD"
    lines = [
        'comparison: "my comparison"',
        f"by: {by} # scale, vessel, origin or data",
        f"reference: {_quoted(reference)}",
        "level: 90 %",
        "# margins are assumed: say what does not matter before you look, as 10 %, 0.5 g/L or 1.5 SD",
    ]
    lines += [f"# left out, because they change with the vessel: {', '.join(left)}"] if left else []
    lines.append("numbers:" if shared else "numbers: []")
    for symbol in shared:
        lines += [f"  - {{symbol: {symbol}, take: {take}, {margin}}}" for take in ("end", "slope")]
    lines.append("profiles:" if shared else "profiles: []")
    lines += [f"  - {{symbol: {symbol}, {margin}}}" for symbol in shared]
    return "\n".join([*lines, *_drafted_spectra(datasets, shared, reference)]) + "\n"


def _drafted_spectra(datasets: Sequence[Dataset], shared: Sequence[str], reference: str) -> list[str]:
    """Lines on the spectra that the data sets have, for a person to complete: only they know a limit of the error."""
    if not shared or not all(data.spectra for data in datasets):
        return []
    assay = "S" if "S" in shared else shared[0]
    return [
        "# a calibration of an assay on the spectra, with the largest error that would do at another scale:",
        "# spectra:",
        f"#   - {{assay: {assay}, made_at: {_quoted(reference)}, limit: 1}}",
    ]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
