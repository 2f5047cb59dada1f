"""Supercoiled plasmid by densitometry of a gel or by peaks of HPLC or capillary electrophoresis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from seedtrain.vectors._assays._estimate import Estimate, Finding, Setting, check
from seedtrain.vectors._fractions import Z95
from seedtrain.vectors._table import Column, Sheet

FORMS: Final = ("supercoiled", "open circular", "linear", "multimer", "other")
COLUMNS: Final = (
    Column("lane", "word", "1"),
    Column("form", "word", None, words=FORMS),
    Column("area", "number", None, 0.0, 1e15),
    Column("factor", "number", "1", 0.01, 100.0),
)
SETTINGS: Final = (
    Setting("factor_cv", 0.0, 0.0, 0.5, "relative standard deviation of the factors between forms (0: all alike)"),
)
LEAST_LANES: Final = 3
"""Lanes or injections of a valid run (assumed)."""


def analyse_topology(sheet: Sheet, settings: Mapping[str, float]) -> Finding:
    """Share of each form in % of all, with a t interval over lanes on the logit.

    `factor` turns an area into an amount: dyes bind less to supercoiled DNA, so that densitometry without factors reads
    its share too low. Its relative error is added to the logit, common to all lanes.
    """
    lanes: dict[str, dict[str, float]] = {}
    for row in sheet.rows:
        forms = lanes.setdefault(row.word("lane"), {})
        forms[row.word("form")] = forms.get(row.word("form"), 0.0) + row.number("area") * row.number("factor")
    for row in sheet.rows:
        if sum(lanes[row.word("lane")].values()) <= 0:
            raise sheet.error(row, f"all areas of lane {row.word('lane')!r} are 0", "Leave the lane out.")
    named = sum("supercoiled" in forms for forms in lanes.values())
    validity = [
        check("lanes", len(lanes), f">= {LEAST_LANES}", met=True if len(lanes) >= LEAST_LANES else None),
        check("lanes with a supercoiled peak", named, f"all of {len(lanes)}", met=named == len(lanes)),
    ]
    estimates = []
    for form in FORMS:
        shares = [forms.get(form, 0.0) / sum(forms.values()) for forms in lanes.values()]
        if any(shares):
            estimates.append(_estimate(form, shares, settings["factor_cv"]))
    notes = [f"{len(lanes)} lanes or injections"]
    if all(row.number("factor") == 1 for row in sheet.rows):
        notes.append("no factors: every form is taken to stain or absorb alike")
    return Finding("topology", tuple(estimates), tuple(validity), tuple(notes))


def _estimate(form: str, shares: list[float], factor_cv: float) -> Estimate:
    from scipy.stats import t

    inside = [min(max(item, 1e-6), 1 - 1e-6) for item in shares]
    logits = np.log(inside) - np.log1p(-np.array(inside))
    middle, many = float(logits.mean()), len(logits)
    if many < 2:
        return Estimate(form, 100 * shares[0], 0.0, 100.0, "%")
    error = float(logits.var(ddof=1)) / many
    half = math.sqrt(float(t.ppf(0.975, many - 1)) ** 2 * error + Z95**2 * factor_cv**2)
    return Estimate.of(form, [100 / (1 + math.exp(-(middle + sign * half))) for sign in (0, -1, 1)], "%")
