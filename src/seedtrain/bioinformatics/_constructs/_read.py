"""DNA from GenBank, FASTA and SBOL 3, with a place for whatever is wrong."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, read_packed
from seedtrain.bioinformatics._constructs._letters import check_letters
from seedtrain.bioinformatics._constructs._record import DnaRecord, Feature, Span, Strand
from seedtrain.bioinformatics._constructs._sbol import parse_sbol

LONGEST: Final = 20_000_000
"""Bases: a bacterial genome, from which parts are taken."""


def read_dna(path: Path, *, circular: bool | None = None) -> DnaRecord:
    """`parse_dna` of a file, gzipped or not."""
    text = read_packed(path, what="file of DNA", give="Give a GenBank, FASTA or SBOL 3 file.", encoding="utf-8")
    return parse_dna(text, str(path), circular=circular)


def parse_dna(text: str, file: str = "sequence", *, circular: bool | None = None) -> DnaRecord:
    """One record of GenBank, FASTA or SBOL 3.

    `circular` overrides the file; FASTA without it is a line, and SBOL says it. Lower case and U are taken and noted;
    IUPAC letters are taken. Raises `InputError` with its place for protein, other letters, an empty file, several
    records, or what is none of the formats.
    """
    head = text.lstrip()
    if not head:
        raise InputError("the file is empty", position=Position(file), remedy="Give a GenBank, FASTA or SBOL 3 file.")
    if head.startswith("LOCUS"):
        name, letters, found, features, description = _genbank(text, file)
    elif head.startswith(">"):
        name, letters, found, features, description = *_fasta(text, file), False, (), ""
    elif "http://sbols.org/v3#" in text:
        record = parse_sbol(text, file)
        name, letters, found = record.name, record.sequence, record.circular
        features, description = record.features, record.description
    else:
        shown = head.split()[0][:20]
        raise InputError(
            f"{shown!r} begins neither GenBank (LOCUS), FASTA ('>') nor SBOL 3",
            position=Position(file, 1, 1),
            remedy="Give one of the three.",
        )
    read_as = (("lower_case",) if letters != letters.upper() else ()) + (("rna",) if "U" in letters.upper() else ())
    sequence = letters.upper().replace("U", "T")
    if len(sequence) > LONGEST:
        raise InputError(f"{len(sequence)} bases, more than {LONGEST}", position=Position(file), remedy="Give a part.")
    return DnaRecord(name, sequence, found if circular is None else circular, features, description, read_as)


def _fasta(text: str, file: str) -> tuple[str, str]:
    name, pieces = "", list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith(">"):
            if name:
                raise InputError(
                    "a second record begins here", position=Position(file, number, 1), remedy="Give one a file."
                )
            name = (stripped[1:].split() or ["sequence"])[0]
        elif stripped:
            check_letters(stripped, file, number, line.index(stripped))
            pieces.append(stripped)
    if not pieces:
        raise InputError(f"{name} has no sequence", position=Position(file, 1, 1), remedy="Write it below the header.")
    return name, "".join(pieces)


def _genbank(text: str, file: str) -> tuple[str, str, bool, tuple[Feature, ...], str]:
    import warnings

    from Bio import SeqIO

    parse: Any = SeqIO.parse
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what other programs write loosely and reads it all the same
            records = list(parse(io.StringIO(text), "genbank"))
            letters = [str(record.seq) for record in records]
    except Exception as error:  # noqa: BLE001  Biopython raises whatever a damaged record makes it stumble over
        raise InputError(f"not a GenBank record: {error}", position=Position(file), remedy="Export it again.") from None
    if len(records) != 1:
        raise InputError(f"{len(records)} records, wanted is one", position=Position(file), remedy="Give one a file.")
    if not letters[0]:
        raise InputError("the record has no sequence", position=Position(file), remedy="Export it with its sequence.")
    check_letters(letters[0], file, 0)
    record = records[0]
    features = tuple(_feature(item) for item in record.features if item.type != "source" and item.location is not None)
    return (
        str(record.name),
        letters[0],
        record.annotations.get("topology") == "circular",
        features,
        str(record.description),
    )


def _feature(item: Any) -> Feature:
    """Biopython's location in the order of the plus strand: it lists the parts of the other strand backwards."""
    parts = [(int(part.start) + 1, int(part.end)) for part in item.location.parts]
    strand: Strand = "-" if item.location.strand == -1 else "+"
    spans: tuple[Span, ...] = tuple(parts if strand == "+" else reversed(parts))
    qualifiers = {str(name): tuple(map(str, values)) for name, values in item.qualifiers.items()}
    return Feature(str(item.type), spans, strand, qualifiers)
