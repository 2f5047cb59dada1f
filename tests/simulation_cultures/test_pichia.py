"""Pichia on glycerol and methanol, in the scheme of Invitrogen's guidelines for Mut+ (feeds per L of initial volume).

Published: 28 g/L of cells after the glycerol batch (Jahic et al. 2002, abstract; 40 g/L of glycerol as the guidelines
have it); secreted human-like collagen of 1.05 (Xiang et al. 2022, doi 10.1186/s40643-022-00605-4), 2.33 (doi
10.1186/s40643-022-00606-3) and 4.71 g/L (Shang et al., collagen III in 22 L).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from seedtrain.simulation import PublishedPhase, Run, read_culture, reproduce

WARM = {"T": 30.0}
METHANOL = {"M": 792.0}


@cache
def _run() -> Run:
    phases = [
        PublishedPhase("glycerol batch", 15.0, surroundings=WARM),
        PublishedPhase("glycerol feed", 4.0, feed=0.01815, inflow={"G": 500.0}, surroundings=WARM),
        PublishedPhase("methanol 1", 3.0, feed=0.0036, inflow=METHANOL, surroundings=WARM),
        PublishedPhase("methanol 2", 2.0, feed=0.0073, inflow=METHANOL, surroundings=WARM),
        PublishedPhase("methanol 3", 65.0, feed=0.0109, inflow=METHANOL, surroundings=WARM),
    ]
    return reproduce(read_culture("pichia_methanol"), {"X": 1.0, "G": 40.0}, phases, points=600, rtol=1e-7)


def test_the_glycerol_batch_gives_the_published_density():
    assert _run()["X"][_run().time <= 15.0].max() == pytest.approx(28.0, rel=0.05)


def test_the_titre_lies_within_the_published_range():
    assert 1.05 < _run().final("P") < 4.71
    assert 80 < _run().final("X") < 160  # 140 to 160 g/L with more oxygen (Jahic 2002)


def test_glycerol_represses_expression():
    run = _run()
    assert run.at("P", 18.9) == 0.0
    culture = read_culture("pichia_methanol")
    values = {**culture.values, "X": 10.0, "M": 1.0, "P": 0.0, "DO": 0.2, "NH": 100.0, "T": 30.0}
    rates = []
    for glycerol in (0.0, 0.02, 2.0):
        found = {**values, "G": glycerol}
        for name, text in culture.expressions.items():
            found[name] = text.evaluate(found)
        rates.append(found["q_P"])
    assert rates[0] > rates[1] > 0
    assert rates[2] < rates[1] / 5


def test_methanol_stays_where_it_does_not_poison():
    run = _run()
    assert run["M"].max() < 1.0
    assert np.all(run["M"] > -1e-6)
