"""DNA as GenBank and FASTA, the same bytes for the same record."""

from __future__ import annotations

import io
import re
from typing import Any, Final

from seedtrain.bioinformatics._constructs._record import DnaRecord, Feature

RECORD_DATE: Final = "01-JAN-1980"
"""GenBank wants a date; this one is fixed and means none, so that the same construct gives the same file."""
LONGEST_LOCUS: Final = 16
LINE: Final = 70


def fasta(record: DnaRecord) -> str:
    """One FASTA record; topology stands in its header."""
    shape = "circular" if record.circular else "linear"
    lines = [record.sequence[at : at + LINE] for at in range(0, len(record), LINE)]
    return f">{plain(record.name)} {shape} {len(record)} bp\n" + "\n".join(lines) + "\n"


def dna_genbank(record: DnaRecord, comment: str = "") -> str:
    """GenBank flat file with every feature."""
    from Bio import SeqIO
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    make_sequence: Any = Seq
    make_record: Any = SeqRecord
    locus = re.sub(r"[^A-Za-z0-9_.-]", "_", record.name)[:LONGEST_LOCUS] or "construct"
    annotations = {
        "molecule_type": "DNA",
        "topology": "circular" if record.circular else "linear",
        "data_file_division": "SYN",
        "date": RECORD_DATE,
        "accessions": [locus],
        "source": "synthetic construct",
        "organism": "synthetic construct",
        "taxonomy": ["other sequences", "artificial sequences"],
    }
    if comment:
        annotations["comment"] = "\n".join(plain(line) for line in comment.splitlines())
    made = make_record(
        make_sequence(record.sequence),
        id=locus,
        name=locus,
        description=plain(record.description or record.name),
        annotations=annotations,
        features=[_source(record), *map(_feature, record.features)],
    )
    stream = io.StringIO()
    write: Any = SeqIO.write
    write([made], stream, "genbank")
    return stream.getvalue()


def plain(text: str) -> str:
    """`text` in the ASCII that GenBank takes; a quote would end a qualifier."""
    return re.sub(r"[^ -~]", "?", text).replace('"', "'")


def _source(record: DnaRecord) -> Any:
    from Bio.SeqFeature import SeqFeature, SimpleLocation

    make: Any = SeqFeature
    place: Any = SimpleLocation
    qualifiers = {"organism": ["synthetic construct"], "mol_type": ["other DNA"]}
    return make(place(0, len(record), strand=1), type="source", qualifiers=qualifiers)


def _feature(item: Feature) -> Any:
    from Bio.SeqFeature import CompoundLocation, SeqFeature, SimpleLocation

    make: Any = SeqFeature
    place: Any = SimpleLocation
    compound: Any = CompoundLocation
    strand = 1 if item.strand == "+" else -1
    parts = [place(first - 1, last, strand=strand) for first, last in item.spans]
    if strand == -1:
        parts.reverse()
    location = parts[0] if len(parts) == 1 else compound(parts)
    qualifiers = {name: [plain(value) for value in values] for name, values in item.qualifiers.items()}
    return make(location, type=item.key, qualifiers=qualifiers)
