"""Replication-competent virus: what a test that found none could have found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from seedtrain.base import InputError, Position
from seedtrain.vectors._assays._estimate import Estimate, Finding, Setting, check
from seedtrain.vectors._fractions import lower_bound, upper_bound
from seedtrain.vectors._table import Column, Sheet

COLUMNS: Final = (
    Column("role", "word", None, words=("test", "spiked", "negative_control")),
    Column("amount", "number", None, 0.0, 1e30),
    Column("unit", "word", "mL"),
    Column("spike", "number", "0", 0.0, 1e12),
    Column("replicates", "count", None, 1, 100_000),
    Column("positive", "count", None, 0, 100_000),
)
SETTINGS: Final = (Setting("confidence", 0.95, 0.5, 0.9999, "one-sided confidence of the bounds"),)


def detection_probability(concentration: float, amount: float, sensitivity: float = 1.0) -> float:
    """Chance that tests of `amount` in all find one or more: 1 - exp(-c V s), particles spread at random.

    - `sensitivity`: chance that a single particle in the test is found.
    """
    return -math.expm1(-concentration * amount * sensitivity)


def analyse_absence(sheet: Sheet, settings: Mapping[str, float]) -> Finding:
    """The bound on infectious particles per amount, with the sensitivity that spiked tests have shown.

    The chance to find a single particle comes from spiked tests of `spike` particles each: its lower bound, at half the
    risk; the chance of a positive test then bounds the concentration at the other half, so that both hold together.
    """
    confidence = settings["confidence"]
    share = 1 - (1 - confidence) / 2
    tests = [row for row in sheet.rows if row.word("role") == "test"]
    if not tests:
        raise InputError("no rows of tests", position=Position(sheet.file), remedy="Add rows with the role test.")
    _check_rows(sheet, tests[0].word("unit"))
    spiked = [row for row in sheet.rows if row.word("role") == "spiked"]
    each = 1 - (1 - share) / max(1, len(spiked))  # the best of several levels is taken, so they share the risk
    sensitivity = max(
        (
            -math.log1p(-min(lower_bound(row.count("positive"), row.count("replicates"), each), 1 - 1e-12))
            / row.number("spike")
            for row in spiked
        ),
        default=1.0,
    )
    sensitivity = min(1.0, sensitivity)
    amount = sum(row.number("amount") * row.count("replicates") for row in tests)
    positive, replicates = (sum(row.count(name) for row in tests) for name in ("positive", "replicates"))
    risk = 1 - (share if spiked else confidence)
    unit = f"1/{tests[0].word('unit')}"
    floor = -math.log(risk) / (amount * sensitivity) if sensitivity > 0 else math.inf
    if positive == 0:
        item = Estimate("infectious particles", 0.0, 0.0, floor, unit, floor, detected=False)
    else:
        low = -math.log1p(-lower_bound(positive, replicates, 0.975)) * replicates / amount
        high = (
            math.inf
            if positive == replicates
            else -math.log1p(-upper_bound(positive, replicates, 0.975)) * replicates / amount / max(sensitivity, 1e-12)
        )
        value = math.inf if positive == replicates else -math.log1p(-positive / replicates) * replicates / amount
        item = Estimate("infectious particles", value, low, high, unit, floor)
    blanks = [row for row in sheet.rows if row.word("role") == "negative_control"]
    false = sum(row.count("positive") for row in blanks)
    seen = sum(row.count("positive") for row in spiked)
    validity = [
        check("spiked tests positive", seen if spiked else None, ">= 1", met=seen > 0 if spiked else None),
        check("negative controls positive", false if blanks else None, "= 0", met=false == 0 if blanks else None),
    ]
    notes = (
        f"{replicates} tests of {amount:g} {tests[0].word('unit')} in all; a single particle is found with at least "
        f"{sensitivity:.3g}" + ("" if spiked else " (taken for certain: no spiked test was run)"),
        f"chance to find one particle per {amount:g} {tests[0].word('unit')}: "
        f"{detection_probability(1 / amount, amount, sensitivity):.3g}",
    )
    return Finding("absence", (item,), tuple(validity), notes)


def _check_rows(sheet: Sheet, unit: str) -> None:
    for row in sheet.rows:
        if row.count("positive") > row.count("replicates"):
            raise sheet.error(row, "more positive tests than tests", "Check the line.")
        if row.word("role") == "spiked" and row.number("spike") <= 0:
            raise sheet.error(row, "a spiked test without a spike", "Write how many particles were added.")
        if row.word("role") == "test" and (row.number("amount") <= 0 or row.word("unit") != unit):
            raise sheet.error(row, "tests need amounts above zero in one unit", "Write amount and unit.")
