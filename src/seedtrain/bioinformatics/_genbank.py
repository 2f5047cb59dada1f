"""A gene as a GenBank record, the same bytes for the same gene."""

from __future__ import annotations

import io
import re
from typing import Any, Final

from seedtrain.bioinformatics._gene import Gene
from seedtrain.bioinformatics._hosts import read_host

RECORD_DATE: Final = "01-JAN-1980"
"""GenBank wants a date; this one is fixed and means none, so that the same gene gives the same file."""
LONGEST_LOCUS: Final = 16


def genbank(gene: Gene) -> str:
    """GenBank flat file of `gene`: source, gene, CDS with its translation, and the chain that the host leaves.

    It holds no promoter, ribosome binding site or vector: the design has none.
    """
    from Bio import SeqIO
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    make_sequence: Any = Seq
    make_record: Any = SeqRecord
    locus = re.sub(r"[^A-Za-z0-9_.-]", "_", gene.name)[:LONGEST_LOCUS] or "gene"
    record = make_record(
        make_sequence(gene.dna),
        id=locus,
        name=locus,
        description=f"coding sequence of {_plain(gene.name)} for {gene.organism}",
        annotations={
            "molecule_type": "DNA",
            "topology": "linear",
            "data_file_division": "SYN",
            "date": RECORD_DATE,
            "accessions": [locus],
            "source": "synthetic construct",
            "organism": "synthetic construct",
            "taxonomy": ["other sequences", "artificial sequences"],
            "comment": _comment(gene),
        },
        features=_features(gene),
    )
    stream = io.StringIO()
    write: Any = SeqIO.write
    write([record], stream, "genbank")
    return stream.getvalue()


def _features(gene: Gene) -> list[Any]:
    from Bio.SeqFeature import SeqFeature, SimpleLocation

    feature: Any = SeqFeature
    location: Any = SimpleLocation
    size, label = len(gene.dna), _plain(gene.name)

    def of(kind: str, start: int, end: int, **qualifiers: str) -> Any:
        return feature(
            location(start, end, strand=1), type=kind, qualifiers={key: [x] for key, x in qualifiers.items()}
        )

    found = [
        of("source", 0, size, organism="synthetic construct", mol_type="other DNA"),
        of("gene", 0, size, gene=label),
        of(
            "CDS",
            0,
            size,
            gene=label,
            product=_plain(f"{gene.name} {gene.product.title}".strip()),
            codon_start="1",
            transl_table=str(read_host(gene.host).genetic_code),
            translation=gene.encoded,
        ),
    ]
    if gene.methionine_removed and len(gene.mature) > 0:
        note = "assumed: first Met removed, from the residue that follows it"
        found.append(of("mat_peptide", 3, size - 3, gene=label, product=label, note=note))
    return found


def _comment(gene: Gene) -> str:
    figures = gene.figures
    cai = "none" if figures.cai is None else f"{figures.cai:.3f}"
    program = gene.checks.versions["seedtrain"]
    lines = [
        f"Designed by Seedtrain {program} with seed {gene.seed}; checks: {gene.checks.verdict}.",
        f"CAI {cai}; GC {figures.gc:.3f}; longest repeat {figures.longest_repeat} nt.",
    ]
    lines += [f"Relaxed: {item.limit} from {item.asked} to {item.used}." for item in gene.relaxed]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """`text` in the ASCII that GenBank takes; a quote would end a qualifier."""
    return re.sub(r"[^ -~]", "?", text).replace('"', "'")
