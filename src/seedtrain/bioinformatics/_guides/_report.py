"""A design for people and for other programs: table, GFF3, GenBank."""

from __future__ import annotations

import io
import re
from typing import Any, Final
from urllib.parse import quote

from seedtrain.base import translate as _
from seedtrain.bioinformatics._guides._design import GuideDesign
from seedtrain.bioinformatics._guides._fasta import letters_of
from seedtrain.bioinformatics._guides._guide import Guide
from seedtrain.bioinformatics._guides._target import FLANK
from seedtrain.quality import verdict_words

RECORD_DATE: Final = "01-JAN-1980"
"""GenBank wants a date; this one is fixed and means none, so that the same design gives the same file."""
LONGEST_LOCUS: Final = 16
_GFF_SAFE: Final = " :.-+/()[]<>"


def guides_table(design: GuideDesign) -> str:
    """The guides as lines of a table with their reasons, in the language in use."""
    head = [_("verdict"), _("guide"), "PAM", _("place"), _("CFD specificity"), _("activity"), _("other sites")]
    rows = [head, *(_row(guide) for guide in design.guides)]
    widths = [max(_width(row[at]) for row in rows) for at in range(len(head))]
    if not design.guides:
        words = _("No site of {nuclease} ({pam}) lies in the target: give a longer one, or another nuclease.")
        return f"{_summary(design)}\n{words.format(nuclease=design.nuclease.name, pam=design.nuclease.pam)}\n"
    lines = [_summary(design)]
    for number, row in enumerate(rows):
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
        if number:
            lines += [f"    {reason}" for reason in design.guides[number - 1].reasons]
            lines += [f"    {line}" for line in _editing(design.guides[number - 1])]
    return "\n".join(lines) + "\n"


def _summary(design: GuideDesign) -> str:
    text = _(
        "{target}: {shown} of {candidates} guides for {nuclease}; other sites up to {mismatches} mismatches"
    ).format(
        target=design.target.name,
        shown=len(design.guides),
        candidates=design.candidates,
        nuclease=design.nuclease.name,
        mismatches=design.requirements.mismatches,
    )
    if design.target.copies == 0:
        text += "\n" + _("The genome does not hold this target: every site found there is an off-target.")
    elif design.target.copies > 1:
        text += "\n" + _("The genome holds this target {copies} times; the first is taken as meant.").format(
            copies=design.target.copies
        )
    return text


def _row(guide: Guide) -> list[str]:
    return [
        verdict_words(guide.verdict.verdict),
        guide.sequence,
        guide.pam,
        f"{guide.contig}:{guide.start + 1}-{guide.end} {guide.strand}",
        "-" if guide.specificity is None else f"{guide.specificity:.3f}",
        "-" if guide.activity is None else f"{guide.activity:.2f}",
        "/".join(map(str, guide.counts)) + _bulges(guide),
    ]


def _editing(guide: Guide) -> list[str]:
    """What base and prime editors find at the site, one line."""
    found = guide.editing
    if found is None:
        return []
    words = []
    for name, letter, positions in (("CBE", "C", found.cytosines), ("ABE", "A", found.adenines)):
        if positions:
            words.append(f"{name} {' '.join(f'{letter}{at}' for at in positions)}")
    if found.extension is not None:
        words.append(_("prime editing: binding site {letters}").format(letters=found.extension.binding))
    return [_("editing") + ": " + "; ".join(words)] if words else []


def _bulges(guide: Guide) -> str:
    return "" if guide.bulged_counts is None else " + " + "/".join(map(str, guide.bulged_counts))


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if ord(letter) >= 0x2E80 else 1 for letter in text)


def guides_gff3(design: GuideDesign) -> str:
    """GFF3 of the guides: protospacers as `sequence_feature` with verdict and figures; the score is Rule Set 1."""
    lines = ["##gff-version 3"]
    for guide in design.guides:
        score = "." if guide.activity is None else f"{guide.activity:.4f}"
        fields = [_gff(guide.contig, ""), "Seedtrain", "sequence_feature", str(guide.start + 1), str(guide.end)]
        values = {"ID": guide.name, "Name": guide.name, "Note": f"guide of {design.nuclease.name}"}
        values |= _figures(guide)
        attributes = ";".join(f"{key}={_gff(value)}" for key, value in values.items())
        lines.append("\t".join([*fields, score, guide.strand, ".", attributes]))
    return "\n".join(lines) + "\n"


def _figures(guide: Guide) -> dict[str, str]:
    values = {"guide": guide.sequence, "pam": guide.pam, "verdict": guide.verdict.verdict}
    values["off_targets"] = "/".join(map(str, guide.counts))
    if guide.specificity is not None:
        values["specificity_cfd"] = f"{guide.specificity:.4f}"
    return values


def _gff(text: str, safe: str = _GFF_SAFE) -> str:
    return quote(text, safe=safe)


def guides_genbank(design: GuideDesign) -> str:
    """GenBank record of the target with every guide's protospacer and PAM as features.

    Guides that reach out of the target are cut off at its edge, and say so in a note.
    """
    from Bio import SeqIO
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    make_sequence: Any = Seq
    make_record: Any = SeqRecord
    target = design.target
    locus = re.sub(r"[^A-Za-z0-9_.-]", "_", target.name)[:LONGEST_LOCUS] or "target"
    record = make_record(
        make_sequence(letters_of(target.codes[FLANK : FLANK + target.length])),
        id=locus,
        name=locus,
        description=f"{_plain(target.name)} with guides of {design.nuclease.name}",
        annotations={
            "molecule_type": "DNA",
            "topology": "linear",
            "data_file_division": "SYN",
            "date": RECORD_DATE,
            "accessions": [locus],
            "comment": f"Guides searched against the genome with SHA-256 {design.genome}.",
        },
        features=[feature for guide in design.guides for feature in _features(design, guide)],
    )
    stream = io.StringIO()
    write: Any = SeqIO.write
    write([record], stream, "genbank")
    return stream.getvalue()


def _features(design: GuideDesign, guide: Guide) -> list[Any]:
    from Bio.SeqFeature import SeqFeature, SimpleLocation

    make_feature: Any = SeqFeature
    make_location: Any = SimpleLocation
    strand = 1 if guide.strand == "+" else -1
    start = guide.offset
    pam = len(design.nuclease.pam)
    right = (guide.strand == "+") != design.nuclease.pam_first
    motif = start + design.nuclease.length if right else start - pam
    found = []
    for label, first, last in ((guide.name, start, start + design.nuclease.length), ("PAM", motif, motif + pam)):
        low, high = max(first, 0), min(last, design.target.length)
        if low >= high:
            continue
        note = [f"{key} {value}" for key, value in _figures(guide).items()] if label != "PAM" else [guide.pam]
        note += ["reaches out of the target"] if (low, high) != (first, last) else []
        location = make_location(low, high, strand=strand)
        found.append(
            make_feature(
                location, type="misc_feature", qualifiers={"label": [_plain(label)], "note": ["; ".join(note)]}
            )
        )
    return found


def _plain(text: str) -> str:
    """`text` in the ASCII that GenBank takes; a quote would end a qualifier."""
    return re.sub(r"[^ -~]", "?", text).replace('"', "'")
