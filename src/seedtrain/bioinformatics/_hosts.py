"""Hosts of expression as data: codon tables, codons and patterns to avoid, what happens to the first methionine."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from seedtrain.base import InputError, load

IUPAC: Final[Mapping[str, str]] = {
    "A": "A",
    "C": "C",
    "G": "G",
    "T": "T",
    "R": "[AG]",
    "Y": "[CT]",
    "S": "[CG]",
    "W": "[AT]",
    "K": "[GT]",
    "M": "[AC]",
    "B": "[CGT]",
    "D": "[AGT]",
    "H": "[ACT]",
    "V": "[ACG]",
    "N": "[ACGT]",
}
_COMPLEMENT: Final = str.maketrans("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN")
_FOLDER: Final = Path(__file__).parent / "hosts"


def reverse_complement(dna: str) -> str:
    """The other strand, read from its 5' end; IUPAC letters are taken."""
    return dna.translate(_COMPLEMENT)[::-1]


def _pattern(value: str) -> str:
    upper = value.upper()
    if not upper or set(upper) - set(IUPAC):
        raise ValueError(f"{value!r} is not a pattern of nucleotides | Use the IUPAC letters {''.join(IUPAC)}.")
    return upper


def _codon(value: str) -> str:
    if not re.fullmatch("[ACGT]{3}", value):
        raise ValueError(f"{value!r} is not a codon | Write three of A, C, G, T.")
    return value


Codon = Annotated[str, AfterValidator(_codon)]
PatternText = Annotated[str, AfterValidator(_pattern)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Usage(_Entry):
    """Codon usage of the whole genome: a `table` that python_codon_tables ships, or `counts` of codons."""

    source: str
    table: str = ""
    counts: Mapping[Codon, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> Usage:
        if bool(self.table) == bool(self.counts):
            raise ValueError("the usage has both a table and counts, or neither | Give one of the two.")
        return self


class Reference(_Entry):
    """Usage of codons in highly expressed genes, on any scale within an amino acid; none of its own where that is not
    known, and then the whole genome's."""

    source: str
    floor: Annotated[float, Field(gt=0, lt=1)]
    codons: Mapping[Codon, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)


class AvoidedCodons(_Entry):
    """Codons that a designed gene does not use."""

    codons: tuple[Codon, ...]
    source: str


class Forbidden(_Entry):
    """A pattern that must not stand inside a gene."""

    name: str
    pattern: PatternText
    strands: Literal["forward", "both"]
    source: str = ""


class Methionine(_Entry):
    """After which second residue the host removes the first methionine."""

    removed_before: str
    source: str


class Start(_Entry):
    """How the start of a gene is kept weak in structure.

    - `nucleotides`: where A and T are preferred; one of them counts as `at_weight`, ln w as `codon_weight`.
    - `leader`: what stands in front of the start codon, as far as the host asks for it (Kozak), DNA.
    - `energy`: kcal/mol at 37 degrees Celsius, preferred for the leader and the first `window` nucleotides together;
      `energy_allowed`: below it a gene fails.
    """

    nucleotides: Annotated[int, Field(ge=6)]
    at_weight: Annotated[float, Field(ge=0)]
    codon_weight: Annotated[float, Field(ge=0)]
    leader: str
    leader_source: str
    window: Annotated[int, Field(ge=12, le=120)]
    energy: Annotated[float, Field(le=0)]
    energy_allowed: Annotated[float, Field(le=0)]
    source: str


class Host(_Entry):
    """One host of expression."""

    host: str
    organism: str
    genetic_code: Annotated[int, BeforeValidator(int)]
    stop: Codon
    usage: Usage
    reference: Reference
    avoided_codons: AvoidedCodons
    forbidden: tuple[Forbidden, ...]
    methionine: Methionine
    start: Start

    @cached_property
    def synonyms(self) -> Mapping[str, tuple[str, ...]]:
        """Codons of each amino acid and of the stop (`*`), sorted."""
        from Bio.Data.CodonTable import unambiguous_dna_by_id

        table: Any = unambiguous_dna_by_id[self.genetic_code]
        found: dict[str, list[str]] = {"*": list(table.stop_codons)}
        for codon, letter in table.forward_table.items():
            found.setdefault(letter, []).append(codon)
        return {letter: tuple(sorted(codons)) for letter, codons in sorted(found.items())}

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """Relative adaptiveness w of each codon, 0 to 1, in the reference set (Sharp & Li 1987, eq. 3)."""
        if not self.reference.codons:
            return self.genome_weights
        return self._relative({codon: max(x, self.reference.floor) for codon, x in self.reference.codons.items()})

    @cached_property
    def genome_weights(self) -> Mapping[str, float]:
        """Relative adaptiveness of each codon, 0 to 1, in the whole genome."""
        if self.usage.counts:
            return self._relative({codon: max(x, 0.5) for codon, x in self.usage.counts.items()})
        import python_codon_tables

        # Only tables inside the package: a number would be looked up on the network.
        if self.usage.table not in python_codon_tables.available_codon_tables_names:
            raise InputError(f"python_codon_tables has no table {self.usage.table!r}", remedy="Name one that it ships.")
        table = python_codon_tables.get_codons_table(self.usage.table)
        frequency = {codon: found for letter in self.synonyms for codon, found in table[letter].items()}
        return self._relative({codon: max(found, 1e-3) for codon, found in frequency.items()})

    def usable(self, letter: str) -> tuple[str, ...]:
        """The codons that a gene may use for an amino acid, best first; all of them where all are avoided."""
        codons = sorted(self.synonyms[letter], key=lambda codon: (-self.weights[codon], codon))
        kept = tuple(codon for codon in codons if codon not in self.avoided_codons.codons)
        return kept or tuple(codons)

    def _relative(self, usage: Mapping[str, float]) -> dict[str, float]:
        return {
            codon: usage[codon] / max(usage[other] for other in codons)
            for codons in self.synonyms.values()
            for codon in codons
        }


def adaptation_index(dna: str, weights: Mapping[str, float]) -> float | None:
    """Codon adaptation index of a coding sequence with its stop, 0 to 1.

    Codons of amino acids with one codon (Met, Trp) and the stop say nothing and are left out; `None` where none is
    left. **Source** Sharp & Li 1987, Nucleic Acids Res 15:1281, eq. 7.
    """
    codons = [dna[at : at + 3] for at in range(0, len(dna) - 3, 3)]
    logs = [math.log(weights[codon]) for codon in codons if codon not in {"ATG", "TGG"}]
    return math.exp(sum(logs) / len(logs)) if logs else None


def host_names() -> tuple[str, ...]:
    """The hosts that Seedtrain ships."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def read_host(name: str) -> Host:
    """A host by name; raises `InputError` for one that is not there."""
    if name not in host_names():
        raise InputError(f"there is no host {name!r}", remedy=f"Use one of: {', '.join(host_names())}.")
    found, document = load(_FOLDER / f"{name}.yaml", Host, what="host")
    every = {codon for codons in found.synonyms.values() for codon in codons}
    for place, codons in (("reference", found.reference.codons), ("usage", found.usage.counts)):
        missing = sorted(every - set(codons)) if codons else []
        if missing:
            raise document.error((place,), f"the codons {', '.join(missing)} are missing", remedy="Add them.")
    return found
