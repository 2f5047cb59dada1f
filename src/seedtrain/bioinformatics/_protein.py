"""The protein that a program makes: read from FASTA with positions, and what follows from its sequence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from seedtrain.base import Document, InputError, InputErrors, Position, read_text
from seedtrain.base import translate as _

AMINO_ACIDS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        letter: MappingProxyType(dict(zip("CHNOS", counts, strict=True)))
        for letter, counts in {
            "A": (3, 7, 1, 2, 0),
            "R": (6, 14, 4, 2, 0),
            "N": (4, 8, 2, 3, 0),
            "D": (4, 7, 1, 4, 0),
            "C": (3, 7, 1, 2, 1),
            "Q": (5, 10, 2, 3, 0),
            "E": (5, 9, 1, 4, 0),
            "G": (2, 5, 1, 2, 0),
            "H": (6, 9, 3, 2, 0),
            "I": (6, 13, 1, 2, 0),
            "L": (6, 13, 1, 2, 0),
            "K": (6, 14, 2, 2, 0),
            "M": (5, 11, 1, 2, 1),
            "F": (9, 11, 1, 2, 0),
            "P": (5, 9, 1, 2, 0),
            "S": (3, 7, 1, 3, 0),
            "T": (4, 9, 1, 3, 0),
            "W": (11, 12, 2, 2, 0),
            "Y": (9, 11, 1, 3, 0),
            "V": (5, 11, 1, 2, 0),
        }.items()
    }
)
"""Atoms of C, H, N, O and S in each free, uncharged amino acid (IUPAC-IUB 1983, Nomenclature and symbolism)."""

ATP_PER_RESIDUE: Final = 4.0
"""mol ATP (or GTP) hydrolysed per residue polymerised: two for activation (ATP to AMP and PPi), two GTP on the
ribosome. Stouthamer 1973, Antonie van Leeuwenhoek 39:545, assumes the same 4. Messenger turnover is not in it."""

EXTINCTION_280: Final[Mapping[str, float]] = MappingProxyType({"W": 5500.0, "Y": 1490.0})
"""Molar extinction at 280 nm per residue, 1/(M cm), cysteines reduced (Pace et al. 1995, Protein Sci 4:2411)."""

LONGEST_PROTEIN: Final = 40_000
"""Residues; above titin's 35,000 the file is something else."""
FEWEST_FOR_DNA: Final = 12
SHARE_FOR_DNA: Final = 0.95
MOST_FAULTS: Final = 20

_UNFIT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "B": "B means Asp or Asn: write D or N",
        "Z": "Z means Glu or Gln: write E or Q",
        "J": "J means Leu or Ile: write L or I",
        "X": "X means any residue: write the one that the product has",
        "U": "U is selenocysteine, which an ordinary gene cannot encode: write C, or design that gene by hand",
        "O": "O is pyrrolysine, which an ordinary gene cannot encode: write K, or design that gene by hand",
        "-": "'-' is the gap of an alignment: give the sequence without gaps",
        ".": "'.' is the gap of an alignment: give the sequence without gaps",
    }
)


@dataclass(frozen=True)
class Protein:
    """One polypeptide of the twenty standard amino acids.

    - `name`: first word of the FASTA header; `title`: the rest of it; `sequence`: one-letter code, upper case.
    - `read_as`: what the reader normalised, of `trailing_stop`, `lower_case` and `spaces`.
    """

    name: str
    sequence: str
    title: str = ""
    read_as: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = sorted(set(self.sequence) - set(AMINO_ACIDS))
        if wrong or not self.sequence:
            shown = ", ".join(repr(letter) for letter in wrong) or "nothing"
            raise InputError(
                f"protein {self.name}: the sequence holds {shown}, which is no amino acid",
                remedy=f"Use the twenty letters {''.join(sorted(AMINO_ACIDS))}.",
            )

    def __len__(self) -> int:
        return len(self.sequence)

    @cached_property
    def composition(self) -> Counter[str]:
        """Residues by one-letter code."""
        return Counter(self.sequence)

    @cached_property
    def elements(self) -> Mapping[str, int]:
        """Atoms of C, H, N, O and S in one uncharged molecule, cysteines reduced."""
        atoms = Counter({"C": 0, "H": 0, "N": 0, "O": 0, "S": 0})
        for letter, count in self.composition.items():
            for element, number in AMINO_ACIDS[letter].items():
                atoms[element] += number * count
        bonds = len(self) - 1
        atoms["H"] -= 2 * bonds
        atoms["O"] -= bonds
        return MappingProxyType(dict(atoms))

    @cached_property
    def molar_mass(self) -> float:
        """Average mass, g/mol (Biopython ProtParam)."""
        return float(self._analysis.molecular_weight())

    @cached_property
    def isoelectric_point(self) -> float:
        """pH without net charge (Biopython ProtParam: Bjellqvist 1993 pK values); it looks between 4.05 and 12."""
        return float(self._analysis.isoelectric_point())

    @cached_property
    def gravy(self) -> float:
        """Grand average of hydropathy, dimensionless (Kyte & Doolittle 1982)."""
        return float(self._analysis.gravy())

    @property
    def extinction_280(self) -> float:
        """Molar extinction at 280 nm, 1/(M cm), cysteines reduced (Pace et al. 1995); 0 where A280 is blind."""
        return float(sum(self.composition[letter] * each for letter, each in EXTINCTION_280.items()))

    @property
    def synthesis_cost(self) -> float:
        """mol ATP per mol to polymerise the amino acids; their own synthesis is the strain's matter."""
        return ATP_PER_RESIDUE * len(self)

    @property
    def carbon_fraction(self) -> float:
        """g carbon per g protein."""
        return 12.011 * self.elements["C"] / self.molar_mass

    @property
    def degree_of_reduction(self) -> float:
        """Electrons available per C-mol against CO2, H2O, NH3 and sulfate: (4 C + H - 2 O - 3 N + 6 S) / C."""
        atoms = self.elements
        electrons = 4 * atoms["C"] + atoms["H"] - 2 * atoms["O"] - 3 * atoms["N"] + 6 * atoms["S"]
        return electrons / atoms["C"]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures must know, in the language in use."""
        words = {
            "trailing_stop": _("The file ends its sequence with a stop ('*'); it is not part of the product."),
            "lower_case": _("The file writes residues in lower case; they were read as upper case."),
            "spaces": _("The file has spaces inside its sequence; they were ignored."),
        }
        notes = [words[code] for code in self.read_as]
        if self.extinction_280 == 0.0:
            notes.append(_("No tryptophan and no tyrosine: absorbance at 280 nm is blind to this product."))
        return tuple(notes)

    def to_data(self) -> dict[str, Any]:
        """Identity and figures as JSON-ready data; `from_data` reads it back."""
        return {
            "name": self.name,
            "title": self.title,
            "sequence": self.sequence,
            "read_as": list(self.read_as),
            "length": len(self),
            "composition": dict(sorted(self.composition.items())),
            "elements": dict(self.elements),
            "molar_mass": self.molar_mass,
            "isoelectric_point": self.isoelectric_point,
            "gravy": self.gravy,
            "extinction_280": self.extinction_280,
            "synthesis_cost": self.synthesis_cost,
            "degree_of_reduction": self.degree_of_reduction,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Protein:
        """The protein of `to_data`."""
        return cls(data["name"], data["sequence"], data["title"], tuple(data["read_as"]))

    @cached_property
    def _analysis(self) -> Any:
        from Bio.SeqUtils import ProtParam

        analysis: Any = ProtParam.ProteinAnalysis
        return analysis(self.sequence)


def read_protein(path: str | Path) -> Protein:
    """The one protein of a FASTA file.

    Lower case, spaces, CRLF line ends and one stop at the very end are taken and noted. Everything else that is not
    one of the twenty amino acids is an `InputError` with file, line and column; all faults come at once.
    """
    where = Path(path)
    return parse_protein(read_text(where, what="FASTA file"), str(where))


def parse_protein(text: str, file: str) -> Protein:
    """`read_protein` on text that is already in memory; `file` names it in errors."""
    return _Reader(text, file).read()


class _Reader:
    """One pass over the lines, keeping where each residue stands."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.document = Document(file, tuple(re.split(r"\r\n|\r|\n", text)), None, {}, {})
        self.headers: list[tuple[int, str]] = []
        self.residues: list[tuple[str, int, int]] = []
        self.faults: list[InputError] = []
        self.read_as: set[str] = set()

    def read(self) -> Protein:
        self._walk()
        if not self.headers and not self.residues and not self.faults:
            self._fault(1, 1, "the file is empty", "Write a header line such as '>my-product' and the sequence below.")
        elif len(self.headers) > 1:
            names = ", ".join(_name(header) or "(no name)" for _line, header in self.headers)
            line = self.headers[1][0]
            message = f"record 2 of {len(self.headers)} starts here, and a product is one protein"
            raise self._error(line, 1, message, f"Keep the record that is the product, of: {names}.")
        elif self.headers and not self.residues and not self.faults:
            line, header = self.headers[0]
            self._fault(line, 1, f"record {_name(header)!r} has no sequence", "Write the sequence below the header.")
        self._refuse_dna()
        self._check_letters()
        if len(self.residues) > LONGEST_PROTEIN:
            message = f"the sequence has {len(self.residues)} residues, more than {LONGEST_PROTEIN}"
            self._fault(*self.residues[LONGEST_PROTEIN][1:], message, "Give one protein, not a proteome.")
        if self.faults:
            raise InputErrors(tuple(self._shown()))
        header = self.headers[0][1]
        order = ("trailing_stop", "lower_case", "spaces")
        noted = tuple(code for code in order if code in self.read_as)
        return Protein(_name(header), "".join(letter for letter, *_at in self.residues), _title(header), noted)

    def _walk(self) -> None:
        for number, line in enumerate(self.document.lines, start=1):
            if line.startswith(">"):
                self.headers.append((number, line))
                if not _name(line):
                    self._fault(number, 2, "the header has no name", "Write a name after '>', such as '>my-product'.")
                continue
            if line.startswith(";"):
                self._fault(number, 1, "a comment line is not part of FASTA", "Remove the line.")
                continue
            if line.strip() and not self.headers and not self.residues:
                remedy = "Begin the file with a line such as '>my-product'."
                self._fault(number, 1, f"the file has no header before {line.strip()[:20]!r}", remedy)
            self._take(number, line)

    def _take(self, number: int, line: str) -> None:
        if re.search(r"\S\s+\S", line):
            self.read_as.add("spaces")
        for column, letter in enumerate(line, start=1):
            if letter.isspace():
                continue
            upper = letter.upper() if letter.isascii() else letter
            if upper != letter:
                self.read_as.add("lower_case")
            self.residues.append((upper, number, column))

    def _refuse_dna(self) -> None:
        letters = [letter for letter, *_at in self.residues if letter.isalpha()]
        bases = [letter for letter in letters if letter in "ACGTUN"]
        if len(letters) < FEWEST_FOR_DNA or len(bases) < SHARE_FOR_DNA * len(letters):
            return
        if len(set(bases) - {"N"}) < 3:  # silk and antifreeze proteins repeat two of these letters
            return
        _first, line, column = self.residues[0]
        shown = "".join(bases[:12])
        message = f"{len(bases)} of {len(letters)} letters are nucleotides ({shown}...): this is DNA or RNA"
        raise self._error(line, column, message, "Give the protein: translate the coding sequence first.")

    def _check_letters(self) -> None:
        if self.residues and self.residues[-1][0] == "*":
            self.residues.pop()
            self.read_as.add("trailing_stop")
            if not self.residues:
                self._fault(
                    self.headers[0][0] if self.headers else 1, 1, "the sequence is only a stop", "Write it out."
                )
        for index, (letter, line, column) in enumerate(self.residues, start=1):
            if letter in AMINO_ACIDS:
                continue
            if letter == "*":
                message = f"a stop codon ('*') stands inside the protein, at residue {index} of {len(self.residues)}"
                remedy = "Give the product up to its stop, or the frame without one."
            elif letter in _UNFIT:
                message, remedy = f"{letter!r} is not one amino acid, at residue {index}", f"{_UNFIT[letter]}."
            else:
                message = f"{letter!r} is not an amino acid, at residue {index}"
                remedy = f"Use the twenty letters {''.join(sorted(AMINO_ACIDS))}."
            self._fault(line, column, message, remedy)

    def _shown(self) -> list[InputError]:
        if len(self.faults) <= MOST_FAULTS:
            return self.faults
        rest = len(self.faults) - MOST_FAULTS
        more = InputError(f"and {rest} more faults of this kind", position=self.faults[MOST_FAULTS].position)
        return [*self.faults[:MOST_FAULTS], more]

    def _fault(self, line: int, column: int, message: str, remedy: str) -> None:
        self.faults.append(self._error(line, column, message, remedy))

    def _error(self, line: int, column: int, message: str, remedy: str) -> InputError:
        where = Position(self.file, line, column)
        return InputError(message, position=where, remedy=remedy, excerpt=self.document.excerpt(where))


def _name(header: str) -> str:
    return header[1:].split(maxsplit=1)[0] if header[1:].strip() else ""


def _title(header: str) -> str:
    parts = header[1:].split(maxsplit=1)
    return parts[1].strip() if len(parts) > 1 else ""
