"""The control strategy as it was executed: each line of the recipe beside what the record holds about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from seedtrain.automation._commit import batch_state
from seedtrain.automation._excursion import bound, bounds, is_within
from seedtrain.automation._fold import BatchState
from seedtrain.base import decimal_text
from seedtrain.base import translate as _
from seedtrain.quantity import QuantityError, convert, parse
from seedtrain.recipe import ControlRecipe, StrategyLine
from seedtrain.record import Ledger

Basis = Literal["readings", "sample", "set point", "nothing"]


@dataclass(frozen=True)
class Finding:
    """A value of the record: what, its text with unit, whether it kept its limits, and the seq of its event."""

    tag: str
    value: str
    within: bool
    seq: int


@dataclass(frozen=True)
class ExecutedLine:
    """One line of the control strategy and what was observed.

    - `line`: of the recipe's file. `low`, `high`: the range in `unit`, None where open.
    - `basis`: what was observed: readings (or a value calculated from them), a sample, the set point as commanded, or
      nothing. `lowest`, `highest`: what was observed, in `unit`; equal for a single value; None for nothing.
    - `within`: whether all of it lies in the range; None for nothing: too little evidence is never a pass.
    - `samples`: what was found in the samples of the phase; `excursions`: readings of the parameter out of limits.
    """

    attribute: str
    phase: str
    parameter: str
    range: str
    unit: str
    low: str | None
    high: str | None
    detector: str
    sample: str
    action: str
    line: int
    basis: Basis
    lowest: str | None
    highest: str | None
    within: bool | None
    seq: int | None
    samples: tuple[Finding, ...] = ()
    excursions: tuple[Finding, ...] = ()

    @property
    def observed(self) -> str:
        """What was observed with its unit, in the language in use."""
        if self.lowest is None:
            return _("not observed")
        span = self.lowest if self.lowest == self.highest else f"{self.lowest} .. {self.highest}"
        return f"{span} {self.unit}".rstrip()

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["samples"] = [vars(item) for item in self.samples]
        data["excursions"] = [vars(item) for item in self.excursions]
        return data


def basis_words(basis: Basis) -> str:
    """What an observation rests on, in the language in use."""
    words = {
        "readings": _("readings"),
        "sample": _("sample"),
        "set point": _("set point as commanded"),
        "nothing": _("not observed"),
    }
    return words[basis]


def executed_strategy(control: ControlRecipe, ledger: Ledger, batch: str) -> tuple[ExecutedLine, ...]:
    """Every line of the control strategy with what the record of `batch` holds about it, in the recipe's order."""
    state = batch_state(ledger, batch)
    return tuple(_line(item, state) for item in control.recipe.control_strategy)


def _line(item: StrategyLine, state: BatchState) -> ExecutedLine:
    unit = item.range.unit
    low, high = bounds(item.range, unit)
    own = [(seq, value) for seq, value in state.values if value["phase"] == item.at]
    basis, lowest, highest, seq = _observed(item, state, own, unit)
    within = None
    if lowest is not None and highest is not None:
        within = is_within(lowest, low, high) and is_within(highest, low, high)
    return ExecutedLine(
        attribute=item.attribute,
        phase=item.at,
        parameter=item.parameter,
        range=str(item.range),
        unit=unit,
        low=bound(low),
        high=bound(high),
        detector=item.detector,
        sample=item.sample,
        action=item.action,
        line=item.position.line,
        basis=basis,
        lowest=bound(lowest),
        highest=bound(highest),
        within=within,
        seq=seq,
        samples=tuple(_finding(seq, value) for seq, value in own if value["kind"] == "sample"),
        excursions=tuple(
            _finding(seq, value)
            for seq, value in own
            if value["kind"] == "reading" and value["tag"] == item.parameter and not value["within"]
        ),
    )


def _finding(seq: int, value: Mapping[str, Any]) -> Finding:
    text = f"{value['value']} {value['unit']}".rstrip()
    return Finding(str(value["tag"]), text, bool(value["within"]), seq)


def _observed(
    item: StrategyLine, state: BatchState, own: Sequence[tuple[int, Mapping[str, Any]]], unit: str
) -> tuple[Basis, float | None, float | None, int | None]:
    """The best evidence about a parameter: its readings, else its sample, else what was commanded."""
    for kind, basis in (("calculated", "readings"), ("sample", "sample")):
        for seq, value in reversed(own):
            if value["kind"] == kind and value["tag"] in _names(item.parameter):
                low = convert(float(value.get("minimum", value["value"])), str(value["unit"]), unit)
                high = convert(float(value.get("maximum", value["value"])), str(value["unit"]), unit)
                return ("readings" if basis == "readings" else "sample"), low, high, seq
    text = state.settings.get(item.at, {}).get(item.parameter)
    if text is not None:
        try:
            commanded = float(decimal_text(parse(text, like=unit).magnitude(unit)))
        except QuantityError:
            return "nothing", None, None, None
        return "set point", commanded, commanded, None
    return "nothing", None, None, None


def _names(parameter: str) -> tuple[str, ...]:
    """The tags that tell about a parameter: `minimum_bubble_point` is met by what is found as `bubble_point`."""
    return parameter, parameter.removeprefix("minimum_").removeprefix("maximum_")
