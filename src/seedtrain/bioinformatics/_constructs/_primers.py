"""Primers: how long they must be to melt where one wants, and what speaks against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.bioinformatics._hosts import reverse_complement

SHORTEST: Final = 16
LONGEST: Final = 40
"""Nucleotides that anneal."""
SEED: Final = 12
"""Nucleotides at the 3' end that must stand nowhere else in the template (assumed)."""


@dataclass(frozen=True)
class Conditions:
    """Where primers melt and anneal.

    - `melting`: degrees Celsius that the annealing part should reach. `sodium`, `magnesium`, `dntp`: mmol/L of Na+,
      Mg2+ and all dNTPs. `primer`: nmol/L of each primer.
    """

    melting: float = 60.0
    sodium: float = 50.0
    magnesium: float = 1.5
    dntp: float = 0.8
    primer: float = 250.0


@dataclass(frozen=True)
class Primer:
    """One oligonucleotide, 5' to 3': a tail that does not anneal, and the part that does.

    - `melting`: degrees Celsius, of the annealing part. `hairpin`: kcal/mol at 37 degrees Celsius of the whole, as DNA.
    - `sites`: places in its template where its 3' end stands; 1 is wanted.
    """

    name: str
    tail: str
    annealing: str
    melting: float
    hairpin: float
    sites: int

    @property
    def sequence(self) -> str:
        """The whole, as it is ordered."""
        return self.tail + self.annealing

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "sequence": self.sequence,
            "tail": self.tail,
            "annealing": self.annealing,
            "melting": round(self.melting, 2),
            "hairpin": round(self.hairpin, 2),
            "sites": self.sites,
        }


def melting_temperature(dna: str, conditions: Conditions | None = None) -> float:
    """Degrees Celsius at which half of `dna` is paired with its complement.

    **Source** unified nearest neighbours of SantaLucia 1998, Proc Natl Acad Sci USA 95:1460 (as Allawi & SantaLucia
    1997, Biochemistry 36:10581), with the salt correction of Owczarzy et al. 2008, Biochemistry 47:5336, computed by
    Biopython's MeltingTemp.
    """
    from Bio.SeqUtils import MeltingTemp

    at = conditions or Conditions()
    module: Any = MeltingTemp
    return float(
        module.Tm_NN(
            dna,
            nn_table=module.DNA_NN3,
            Na=at.sodium,
            Mg=at.magnesium,
            dNTPs=at.dntp,
            dnac1=at.primer,
            dnac2=0,
            saltcorr=7,
        )
    )


def primer_pair(
    name: str, template: str, part: str, tails: tuple[str, str], conditions: Conditions
) -> tuple[Primer, Primer]:
    """Forward and reverse primer that amplify `part` out of `template` with `tails` (each 5' to 3' of its primer).

    - `template`: letters in which the primers could anneal, a circle written out past its origin by `SEED` - 1.

    Raises `InputError` for a part that is too short, or ambiguous where a primer must anneal.
    """
    other = reverse_complement(part)
    both = template + "|" + reverse_complement(template)
    return (
        _primer(f"{name}_fwd", part, tails[0], both, conditions),
        _primer(f"{name}_rev", other, tails[1], both, conditions),
    )


def _primer(name: str, text: str, tail: str, template: str, conditions: Conditions) -> Primer:
    longest = min(LONGEST, len(text))
    if longest < SHORTEST:
        raise InputError(
            f"{name}: the part has {len(text)} bases, and a primer needs {SHORTEST} to anneal",
            remedy="Order it as a fragment (supply: synthesis), or put it into the tails of its neighbours.",
        )
    if set(text[:longest]) - set("ACGT"):
        at = next(at for at, letter in enumerate(text[:longest], start=1) if letter not in "ACGT")
        raise InputError(
            f"{name}: {text[at - 1]!r} stands {at} bases behind the end where this primer anneals",
            remedy="Give a part without IUPAC letters at its ends, or order it as a fragment.",
        )
    if set(tail) - set("ACGT"):
        raise InputError(
            f"{name}: its tail {tail} takes an IUPAC letter from the neighbour",
            remedy="Give neighbours without IUPAC letters at their ends.",
        )
    length = SHORTEST
    while length < longest and melting_temperature(text[:length], conditions) < conditions.melting:
        length += 1
    annealing = text[:length]
    seed = annealing[-SEED:]
    sites = sum(template.startswith(seed, at) for at in range(len(template) - SEED + 1) if template[at] == seed[0])
    return Primer(name, tail, annealing, melting_temperature(annealing, conditions), _hairpin(tail + annealing), sites)


def _hairpin(dna: str) -> float:
    import math

    from seqfold import dg

    energy = float(dg(dna, 37.0))
    return min(energy, 0.0) if math.isfinite(energy) else 0.0


def conditions_from(data: Mapping[str, float]) -> Conditions:
    """The conditions of a plan; `InputError` for what no tube holds."""
    limits = {
        "melting": (40, 75),
        "sodium": (1, 1000),
        "magnesium": (0, 20),
        "dntp": (0, 10),
        "primer": (1, 10_000),
    }
    for name, value in data.items():
        low, high = limits[name]
        if not low <= value <= high:
            raise InputError(f"primers.{name} is {value:g}", remedy=f"Give {low} to {high}.")
    return Conditions(**dict(data))
