"""Published scores: cutting frequency determination for off-targets, Rule Set 1 for the guide itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.bioinformatics._guides._fasta import Codes

CFD_LENGTH: Final = 20
CFD_PAM: Final[Mapping[str, float]] = MappingProxyType(
    {
        **dict.fromkeys(("AA", "AC", "AT", "CA", "CC", "CT", "TA", "TC", "TT"), 0.0),
        "AG": 0.259259259,
        "CG": 0.107142857,
        "GA": 0.069444444,
        "GC": 0.022222222,
        "GG": 1.0,
        "GT": 0.016129032,
        "TG": 0.038961039,
    }
)
"""Activity by the last two letters of the PAM, of that at GG (Doench et al. 2016, Nat Biotechnol 34:184, table 19)."""

CONTEXT_BEFORE: Final = 4
CONTEXT_LENGTH: Final = 30


@cache
def cfd_table() -> NDArray[np.float64]:
    """Activity by guide letter, site letter and position (0 is far from the PAM): shape (4, 4, 20), 1 where equal."""
    table = np.ones((4, 4, CFD_LENGTH))
    for line in (Path(__file__).with_name("cfd.tsv")).read_text(encoding="utf-8").splitlines():
        if not line.startswith(("#", "guide")):
            guide, site, *values = line.split("\t")
            table["ACGT".index(guide), "ACGT".index(site)] = [float(value) for value in values]
    table.flags.writeable = False
    return table


def cfd(guides: Codes, sites: Codes, pams: list[str]) -> NDArray[np.float64]:
    """Cutting frequency determination of SpCas9 at each of some sites, 0 to 1.

    - `guides`, `sites`: codes 5' to 3', shape (sites, 20); `pams`: three letters each.

    Mismatches multiply as if independent. **Source** Doench et al. 2016, Nat Biotechnol 34:184: SpCas9 in human cells.
    """
    assert guides.shape[1] == CFD_LENGTH
    parts = cfd_table()[guides, sites, np.arange(CFD_LENGTH)]
    return np.asarray(parts.prod(axis=1) * np.array([CFD_PAM[pam[-2:]] for pam in pams]))


def specificity(score_sum: float) -> float:
    """1 / (1 + sum of off-target scores): 1 with none, 0.5 where they add up to the site itself.

    **Source** the form of Hsu et al. 2013, Nat Biotechnol 31:827, with CFD in place of their score.
    """
    return 1.0 / (1.0 + score_sum)


@cache
def _rule_set_1() -> tuple[tuple[tuple[int, str, float], ...], Mapping[str, float]]:
    features: list[tuple[int, str, float]] = []
    others: dict[str, float] = {}
    for line in (Path(__file__).with_name("rule_set_1.tsv")).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, value = line.split("\t")
        if name[-1].isdigit():
            features.append((int(name[-2:]) - 1, name[:-2], float(value)))
        else:
            others[name] = float(value)
    return tuple(features), others


def rule_set_1(context: str) -> float:
    """Predicted activity of a SpCas9 guide at NGG, 0 to 1.

    - `context`: 30 letters: 4 before the protospacer, its 20, the PAM's 3, and 3 behind.

    **Source** Doench et al. 2014, Nat Biotechnol 32:1262: logistic regression on 1,841 guides in human and mouse cells.
    It says little about other organisms and about guides not made by Pol III. Raises `InputError` for another context.
    """
    if len(context) != CONTEXT_LENGTH or set(context) - set("ACGT") or context[25:27] != "GG":
        raise InputError(
            f"{context!r} is no context of a guide at NGG",
            remedy="Give 4 letters before the guide, its 20, NGG and 3 letters behind, all A, C, G or T.",
        )
    features, others = _rule_set_1()
    guide = context[CONTEXT_BEFORE : CONTEXT_BEFORE + 20]
    gc = guide.count("G") + guide.count("C")
    score = others["Intercept"] + abs(10 - gc) * others["gc_low" if gc <= 10 else "gc_high"]
    score += sum(weight for at, letters, weight in features if context.startswith(letters, at))
    return 1.0 / (1.0 + math.exp(-score))
