"""What a clone is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from seedtrain.base import InputError


@dataclass(frozen=True)
class CloneLimits:
    """Acceptance limits; every default is assumed: take those of your own specification.

    - `reads`: least number of reads of the clone; `strand_depth`: least reads of either strand over any site;
      `spanning`: least reads that cross any site unbroken.
    - `foreign`: largest share of bases from something else; `multimers`: of reads around more than once.
    - `alleles`: largest share of molecules with another base, or a small indel, at an ordinary site;
      `masked`: the same at Dam and Dcm motifs; `homopolymers`: with another length of a homopolymer.
    - `structures`: largest share of molecules with one insertion, deletion or junction.
    - `consensus_reads`: least number of whole reads in the consensus.

    A share of `None` is not asked.
    """

    reads: int = 20
    strand_depth: int = 8
    spanning: int = 10
    foreign: float | None = 0.25
    multimers: float | None = 0.20
    alleles: float | None = 0.05
    masked: float | None = 0.60
    homopolymers: float | None = 0.50
    structures: float | None = 0.05
    consensus_reads: int | None = 15


COUNTS: Final = ("reads", "strand_depth", "spanning", "consensus_reads")


def limits_from(texts: Mapping[str, str], base: CloneLimits | None = None) -> CloneLimits:
    """Limits from texts such as `alleles: 10 %`, `reads: 50`, `multimers: none`; raises `InputError` for another."""
    used = base or CloneLimits()
    names = [item.name for item in fields(CloneLimits)]
    for name, text in texts.items():
        if name not in names:
            raise InputError(f"there is no limit {name!r}", remedy=f"Use one of: {', '.join(names)}.")
        changed: dict[str, Any] = {name: _value(name, text.strip())}
        used = replace(used, **changed)
    return used


def _value(name: str, text: str) -> float | int | None:
    if text == "none" and name not in COUNTS[:3]:
        return None
    try:
        if name in COUNTS:
            number = int(text)
            good = number >= 1
            return number if good else _refused(name, text)
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return _refused(name, text)
    return share if 0 <= share <= 1 else _refused(name, text)


def _refused(name: str, text: str) -> int:
    wanted = "a whole number of reads" if name in COUNTS else "a share such as 5 %, or none"
    raise InputError(f"the limit {name} cannot be {text!r}", remedy=f"Give {wanted}.")
