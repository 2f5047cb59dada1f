"""Letters of a reference that allow several bases (IUPAC): which base the clone has there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.bioinformatics._reads._consensus import Edit
from seedtrain.bioinformatics._reads._pile import Pile
from seedtrain.bioinformatics._reads._reference import ALLOWED, IUPAC, Reference
from seedtrain.bioinformatics._reads._statistics import wilson

SHOWN: Final = 0.05
"""Share of the bases from which a base at such a letter is named."""
MAJORITY: Final = 0.3
"""Share, at its lower bound, from which the reads themselves show a base that the letter does not allow."""


@dataclass(frozen=True)
class CodedSite:
    """One letter such as R of the reference, at `site` (from 0), and how often the reads show A, C, G and T there."""

    site: int
    letter: str
    counts: tuple[int, int, int, int]

    @property
    def depth(self) -> int:
        """Bases of all reads."""
        return sum(self.counts)

    @property
    def shares(self) -> tuple[tuple[str, float], ...]:
        """Bases with a share of `SHOWN` or more, the commonest first."""
        found = [(base, many / self.depth) for base, many in zip("ACGT", self.counts, strict=True) if self.depth]
        return tuple(sorted((item for item in found if item[1] >= SHOWN), key=lambda item: (-item[1], item[0])))

    @property
    def allowed(self) -> bool:
        """Whether the letter allows every base that is named."""
        return all(base in ALLOWED[self.letter] for base, _share in self.shares)

    @property
    def refuted(self) -> bool:
        """Whether reads on their own show a base that the letter does not allow."""
        other = sum(many for base, many in zip("ACGT", self.counts, strict=True) if base not in ALLOWED[self.letter])
        return self.depth > 0 and wilson(other, self.depth)[0] > MAJORITY


def coded_sites(reference: Reference, pile: Pile) -> tuple[CodedSite, ...]:
    """Every such letter of a reference, in its order."""
    counts = pile.bases.sum(axis=0)
    sites = [site for site, letter in enumerate(reference.sequence) if letter in IUPAC]
    return tuple(
        CodedSite(site, reference.sequence[site], (int(row[0]), int(row[1]), int(row[2]), int(row[3])))
        for site, row in zip(sites, np.asarray(counts)[sites][:, :4], strict=True)
    )


def open_edits(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Edits that the reference's letters do not allow: R that reads A or G is none."""
    return tuple(
        edit
        for edit in edits
        if len(edit.before) != len(edit.after)
        or any(after not in ALLOWED.get(before, before) for before, after in zip(edit.before, edit.after, strict=True))
    )
