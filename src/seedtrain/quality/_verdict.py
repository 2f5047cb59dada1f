"""Verdicts of three values: pass, fail and inconclusive; too little evidence is never a pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any, Final, Literal

from seedtrain.base import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE
from seedtrain.base import translate as _
from seedtrain.quality._specification import (
    LEAST_WITH_EXPONENT,
    Limit,
    Specification,
    SpecificationLine,
    figure_text,
)
from seedtrain.quantity import Quantity, Uncertain, number_text

VerdictWord = Literal["pass", "fail", "inconclusive"]
_RANK: Final = {"pass": 0, "inconclusive": 1, "fail": 2}
_EXIT: Final = {"pass": EXIT_DONE, "fail": EXIT_FAIL, "inconclusive": EXIT_INCONCLUSIVE}


def combine(words: Iterable[VerdictWord]) -> VerdictWord:
    """One verdict from many: fail dominates, then inconclusive; nothing at all is inconclusive."""
    return max(words, key=_RANK.__getitem__, default="inconclusive")


def verdict_words(verdict: str) -> str:
    """The verdict in the language in use."""
    return {"pass": _("pass"), "fail": _("fail"), "inconclusive": _("inconclusive")}[verdict]


@dataclass(frozen=True)
class Criterion:
    """One thing that was judged: `value` and `interval` as text with their unit (or a number, or a word)."""

    name: str
    value: str | float | None
    interval: tuple[str | float, str | float] | None
    limit: str | None
    limit_of_detection: str | float | None
    verdict: VerdictWord

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "value": self.value,
            "interval": None if self.interval is None else list(self.interval),
            "limit": self.limit,
            "limit_of_detection": self.limit_of_detection,
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class Verdict:
    """What follows from all criteria together, what it rests on, and which versions and seed made it.

    A verdict is never better than its worst criterion, and never a pass without one.
    """

    verdict: VerdictWord
    criteria: tuple[Criterion, ...]
    evidence: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None

    def __post_init__(self) -> None:
        """Hold the law of the class."""
        worst = combine(item.verdict for item in self.criteria)
        assert _RANK[self.verdict] >= _RANK[worst], f"{self.verdict} is better than the criteria allow: {worst}"

    @staticmethod
    def of(
        criteria: Sequence[Criterion],
        evidence: Sequence[str] = (),
        versions: Mapping[str, str] | None = None,
        seed: int | None = None,
    ) -> Verdict:
        """The verdict that `criteria` add up to."""
        word = combine(item.verdict for item in criteria)
        return Verdict(word, tuple(criteria), tuple(evidence), dict(versions or {}), seed)

    @property
    def exit_code(self) -> int:
        """The command line's exit code for it."""
        return _EXIT[self.verdict]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready, with exactly the keys of the command line's contract."""
        return {
            "verdict": self.verdict,
            "criteria": [item.to_data() for item in self.criteria],
            "evidence": list(self.evidence),
            "versions": dict(self.versions),
            "seed": self.seed,
        }

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Verdict:
        """What `to_data` wrote."""
        criteria = tuple(
            Criterion(
                item["name"],
                item["value"],
                None if item["interval"] is None else (item["interval"][0], item["interval"][1]),
                item["limit"],
                item["limit_of_detection"],
                item["verdict"],
            )
            for item in data["criteria"]
        )
        return Verdict(data["verdict"], criteria, tuple(data["evidence"]), dict(data["versions"]), data["seed"])


@dataclass(frozen=True)
class Result:
    """What a test found in a sample: a quantity, or a word such as `conforms`.

    - `detected`: false where the method found nothing; `value` then is its limit of detection.
    - `valid`: false where the test itself failed (system suitability): it says nothing about the sample.
    """

    attribute: str
    value: Quantity | str
    method: str
    sample: str
    uncertainty: Uncertain | None = None
    detected: bool = True
    valid: bool = True


def judge(
    specification: Specification,
    results: Sequence[Result],
    *,
    versions: Mapping[str, str] | None = None,
    seed: int | None = None,
) -> Verdict:
    """Results against a specification: the rounded reportable value is compared with the limit.

    A missing result, or one whose test was invalid, is inconclusive. Every valid result of an attribute counts: a
    second one never replaces a first that failed. Raises `QuantityError` for a result of another dimension.
    """
    criteria: list[Criterion] = []
    evidence: list[str] = []
    for line in specification.lines:
        mine = [item for item in results if item.attribute == line.attribute]
        valid = [item for item in mine if item.valid]
        evidence += [f"{line.attribute}: sample {item.sample}, {item.method}" for item in valid]
        evidence += [f"{line.attribute}: sample {item.sample}, test invalid" for item in mine if not item.valid]
        if not valid:
            criteria.append(Criterion(line.attribute, None, None, line.limit.text, None, "inconclusive"))
        criteria += [_judge_result(line, item) for item in valid]
    known = {line.attribute for line in specification.lines}
    evidence += [f"{item.attribute}: found, not specified" for item in results if item.attribute not in known]
    return Verdict.of(criteria, evidence, versions, seed)


def _judge_result(line: SpecificationLine, result: Result) -> Criterion:
    limit, value = line.limit, result.value
    if isinstance(value, str) or limit.range is None:
        word: VerdictWord = "pass" if limit.admits(value) else "fail"
        return Criterion(line.attribute, str(value), None, limit.text, None, word)
    if not result.detected:
        zero = Quantity(0.0, value.unit)
        return Criterion(
            line.attribute,
            f"< {limit.reportable(value)}",
            (str(zero), str(value)),
            limit.text,
            str(value),
            _between(limit.admits(zero), limit.admits(value), zero, value, limit),
        )
    interval = None
    if result.uncertainty is not None:
        found = result.uncertainty.to(limit.unit)
        interval = (f"{found.low:.4g} {limit.unit}".rstrip(), f"{found.high:.4g} {limit.unit}".rstrip())
    word = "pass" if limit.admits(value) else "fail"
    return Criterion(line.attribute, limit.reportable(value), interval, limit.text, None, word)


def _between(low_in: bool, high_in: bool, low: Quantity, high: Quantity, limit: Limit) -> VerdictWord:
    """A value somewhere from `low` to `high`: all of it in, all of it out, or neither."""
    assert limit.range is not None
    if low_in and high_in:
        return "pass"
    start, end = limit.range.bounds(limit.unit)
    apart = high.magnitude(limit.unit) < start or low.magnitude(limit.unit) > end
    return "fail" if apart and not low_in and not high_in else "inconclusive"


def judge_interval(name: str, low: float, value: float, high: float, limit: Limit) -> Criterion:
    """A predicted `value` with its interval, all in the limit's unit, against a limit of numbers.

    The whole interval inside is a pass, the whole interval outside a fail, anything else inconclusive. Nothing is
    rounded: a prediction is no reportable value.
    """
    if limit.range is None:
        raise ValueError(f"{limit.text!r} is a word, not a range of values")
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} lies outside its interval {low} .. {high}")
    start, end = limit.range.bounds(limit.unit)
    word: VerdictWord = "inconclusive"
    if start <= low and high <= end:
        word = "pass"
    elif high < start or low > end:
        word = "fail"
    low_text, value_text, high_text = (f"{_six_figures(item)} {limit.unit}".rstrip() for item in (low, value, high))
    return Criterion(name, value_text, (low_text, high_text), limit.text, None, word)


def _six_figures(value: float) -> str:
    text = number_text(float(f"{value:.6g}"))
    return figure_text(Decimal(text)) if isfinite(value) and abs(value) >= LEAST_WITH_EXPONENT else text
