"""What every edit of one gene comes with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seedtrain.bioinformatics._constructs import DnaRecord, Primer
from seedtrain.bioinformatics._guides import Guide
from seedtrain.quality import Verdict


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One gene and everything to edit it; its kinds say what becomes of it.

    - `first`, `last`: bases that go, from 1, both inside, on the plus strand; across the origin `last` is the smaller.
      `strand`: the gene's.
    - `donor`: arms, and what comes between them, with each as a feature. `locus`: the place after the edit, `ROOM`
      more than the arms.
    - `guide`: the best that the edit destroys; none where there is none. `check`: primers outside the arms; `wild`,
      `edited`: bp of their products. `touched`: other features that lose bases.
    """

    gene: str
    name: str
    first: int
    last: int
    strand: str
    guide: Guide | None
    donor: DnaRecord
    locus: DnaRecord
    check: tuple[Primer, Primer]
    wild: int
    edited: int
    touched: tuple[str, ...]
    verdict: Verdict

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "gene": self.gene,
            "name": self.name,
            "first": self.first,
            "last": self.last,
            "strand": self.strand,
            "guide": None if self.guide is None else self.guide.to_data(),
            "donor": self.donor.to_data(),
            "check_primers": [item.to_data() for item in self.check],
            "wild_type_bp": self.wild,
            "edited_bp": self.edited,
            "features_touched": list(self.touched),
            "verdict": self.verdict.to_data(),
        }
