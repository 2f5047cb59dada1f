"""What minimap2, samtools and bcftools call beside `verify clone`, on the same simulated reads.

`python -m tests.bioinformatics_reads.judge_table` prints the table of docs/validation.md.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from seedtrain.bioinformatics import CloneReport, Reference, simulate_reads, verify_clone

from .made import clone, deleted, planted, random_dna
from .test_judge import aligned, called

READS = 300


def kinds(reference: Reference) -> dict[str, str]:
    """The kinds of `planted`, and the insertion sequence at the origin."""
    found = dict(planted(reference))
    found["no difference"] = reference.sequence
    found["deletion of 300 bases at the origin"] = deleted(reference.sequence, len(reference) - 150, 150)[150:]
    found["inversion of 600 bases"] = _inverted(reference.sequence, 1600, 2200)
    found["IS of 777 bases in one molecule of five"] = found["insertion of 777 bases"]
    return found


def _inverted(text: str, start: int, end: int) -> str:
    turned = text[start:end][::-1].translate(str.maketrans("ACGT", "TGCA"))
    return text[:start] + turned + text[end:]


def theirs_right(reference: Reference, truth: str, calls: list[tuple[int, str, str]]) -> bool:
    """Whether their calls, applied to the reference, give the molecule that was sequenced."""
    text = reference.sequence
    for site, before, after in sorted(calls, reverse=True):
        if text[site : site + len(before)].upper() != before.upper():
            return False
        text = text[:site] + after.upper() + text[site + len(before) :]
    return text == truth


def ours_right(reference: Reference, truth: str, report: CloneReport) -> bool:
    """Whether the consensus is the molecule that was sequenced, whatever base of the circle it begins with."""
    made = report.consensus.sequence
    return len(made) == len(truth) and made in truth * 2


def rows() -> list[tuple[str, str, str, str]]:
    """Kind, what bcftools says, what the consensus says, and the verdict."""
    reference = clone()
    found: list[tuple[str, str, str, str]] = []
    for number, (kind, truth) in enumerate(kinds(reference).items()):
        reads = simulate_reads(truth, READS, seed=40 + number)
        if "one molecule of five" in kind:
            reads = simulate_reads(truth, READS // 5, seed=40 + number)
            reads += simulate_reads(reference.sequence, READS - READS // 5, seed=90 + number)
        with tempfile.TemporaryDirectory() as folder:
            calls = called(Path(folder), aligned(Path(folder), reference, reads))
        report = verify_clone(reads, reference)
        right = theirs_right(reference, truth, calls)
        theirs = "right" if right else "missed" if not calls else f"miscalled ({len(calls)} calls)"
        ours = "right" if ours_right(reference, truth, report) else "the majority" if "five" in kind else "wrong"
        found.append((kind, theirs, ours, report.verdict.verdict))
    return found


def main() -> None:
    print("| planted | minimap2, bcftools on the line | consensus on the circle | verdict |\n| --- | --- | --- | --- |")
    for row in rows():
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    assert random_dna(4, 1)
    main()
