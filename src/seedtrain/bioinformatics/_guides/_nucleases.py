"""What each nuclease asks of a site: PAM, side, length of the guide, place of the cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from seedtrain.base import InputError

LONGEST_GUIDE: Final = 29
"""Nucleotides: one more, at two bits each, must leave the top three bits of a 64-bit word free for flags."""


@dataclass(frozen=True)
class Nuclease:
    """A guided nuclease.

    - `pam`: where guides are designed, IUPAC; `searched`: every PAM at which it is known to cut, `pam` among them.
    - `length`: of the guide, nt; `pam_first`: whether the PAM stands 5' of the protospacer.
    - `cut`: bases between PAM and cut on the strand that carries the PAM; `source`: where that is published.
    """

    name: str
    pam: str
    searched: tuple[str, ...]
    length: int
    pam_first: bool
    cut: int
    source: str

    def __post_init__(self) -> None:
        assert self.pam in self.searched
        assert 3 <= self.length <= LONGEST_GUIDE


NUCLEASES: Final[Mapping[str, Nuclease]] = MappingProxyType(
    {
        item.name: item
        for item in (
            Nuclease(
                "SpCas9",
                pam="NGG",
                searched=("NGG", "NAG"),
                length=20,
                pam_first=False,
                cut=3,
                source="Jinek et al. 2012, Science 337:816; NAG: Hsu et al. 2013, Nat Biotechnol 31:827",
            ),
            Nuclease(
                "SpCas9-NAG",
                pam="NAG",
                searched=("NGG", "NAG"),
                length=20,
                pam_first=False,
                cut=3,
                source="Hsu et al. 2013, Nat Biotechnol 31:827",
            ),
            Nuclease(
                "Cas12a",
                pam="TTTV",
                searched=("TTTV",),
                length=23,
                pam_first=True,
                cut=18,
                source="Zetsche et al. 2015, Cell 163:759; TTTV: Kim et al. 2017, Nat Methods 14:153",
            ),
        )
    }
)


def nuclease_of(name: str) -> Nuclease:
    """The nuclease of that name, in any case; `InputError` for another."""
    for known, nuclease in NUCLEASES.items():
        if known.lower() == name.lower():
            return nuclease
    raise InputError(f"there is no nuclease {name!r}", remedy=f"Use one of: {', '.join(NUCLEASES)}.")
