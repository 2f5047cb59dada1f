"""The problem on which the engine is measured against its peers."""

from __future__ import annotations

from typing import Final

import numpy as np

from seedtrain.simulation._engine._schedule import Floats, Schedule, Seeds
from seedtrain.simulation._engine._system import System

NOMINAL: Final = {
    "qSmax": 1.25, "Ks": 0.05, "pAmax": 0.17, "Kap": 0.55, "qAmax": 0.12, "Ksa": 0.05, "Kis": 0.05, "Kia": 5.0,
    "Ko": 4.0, "qm": 0.02, "Yem": 0.50, "Yaof": 0.80, "Yaem": 0.45, "Yos": 1.05, "Yoa": 1.04, "Cs": 0.391,
    "Cx": 0.488, "kLa": 900.0, "H": 12000.0, "Kp": 60.0, "muset": 0.11, "F0": 0.0045, "Sin": 500.0, "aP": 0.03,
    "bP": 0.002, "Ostar": 99.0,
}  # fmt: skip
"""Nominal numbers, assumed, in the range of Xu et al. 1999, doi:10.1002/bit.260640505, and Anane et al. 2017,
doi:10.1016/j.bej.2017.05.013."""
FIXED: Final = ("Cs", "Cx", "H", "Ostar")
INITIAL: Final = (4.0, 0.5, 0.05, 0.0, 95.0, 95.0, 2.0)
HOURS: Final = 24.0
OUTPUTS: Final = 100


def fed_batch_system() -> System:
    """Seven states: biomass, substrate, acetate and product (g/L), dissolved oxygen and its probe (%), volume (L).

    E. coli with overflow metabolism in the manner of Xu et al. 1999 and Anane et al. 2017, fed exponentially.
    """
    return System(
        name="fed batch of seven states",
        states=("X", "S", "A", "Pr", "O", "Om", "V"),
        numbers=tuple(NOMINAL),
        held=(),
        lines=(
            ("F", "F0*exp(muset*t)"),
            ("D", "F/V"),
            ("qS", "qSmax*S/(S+Ks)/(1+A/Kia)"),
            ("qSof", "pAmax*qS/(qS+Kap)"),
            ("qSox", "(qS-qSof)*O/(O+Ko)"),
            ("qSan", "(qSox-qm)*Yem*Cx/Cs"),
            ("qsA", "qAmax*A/(A+Ksa)/(1+qS/Kis)*O/(O+Ko)"),
            ("pA", "qSof*Yaof"),
            ("mu", "(qSox-qm)*Yem+qsA*Yaem"),
            ("qO", "Yos*(qSox-qSan)+qsA*Yoa"),
        ),
        rates=(
            "(mu-D)*X",
            "D*(Sin-S)-qS*X",
            "(pA-qsA)*X-D*A",
            "(aP*mu+bP)*X-D*Pr",
            "kLa*(Ostar-O)-qO*X*H",
            "Kp*(O-Om)",
            "F",
        ),
    )


def fed_batch_numbers(count: int, seed: int = 7, spread: float = 0.2) -> Floats:
    """`count` draws of the 26 numbers, 22 of them within +/- `spread` of the nominal ones; shape (count, 26)."""
    numbers = np.tile(np.array(list(NOMINAL.values())), (count, 1))
    varied = [place for place, name in enumerate(NOMINAL) if name not in FIXED]
    numbers[:, varied] *= np.random.default_rng(seed).uniform(1 - spread, 1 + spread, (count, len(varied)))
    return numbers


def fed_batch_schedule(numbers: Floats) -> Schedule:
    """One stretch of 24 h for every row of `numbers`."""
    return Schedule(
        initial=np.array([INITIAL]),
        numbers=np.ascontiguousarray(numbers[:, None, :]),
        jumps=np.zeros((1, 1, len(INITIAL))),
        lengths=np.array([[HOURS]]),
        actions=np.zeros((1, 1, 0), dtype=np.int8),
    )


def fed_batch_seeds() -> Seeds:
    """A direction for each of the 22 numbers that vary."""
    varied = [place for place, name in enumerate(NOMINAL) if name not in FIXED]
    by = np.zeros((1, len(NOMINAL), len(varied)))
    by[0, varied, range(len(varied))] = 1.0
    n, K = len(INITIAL), len(varied)
    return Seeds(np.zeros((n, K)), by, np.zeros((1, n, K)), np.zeros((1, K)))


def fed_batch_times() -> Floats:
    """The output times, h."""
    return np.linspace(0.0, HOURS, OUTPUTS)
