"""The same questions without cleverness: strings, every place, every alignment. It shares no code with ours."""

from __future__ import annotations

from dataclasses import dataclass

IUPAC = {"N": "ACGT", "V": "ACG", "A": "A", "C": "C", "G": "G", "T": "T"}
PAIR = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}


@dataclass(frozen=True, order=True)
class Found:
    contig: str
    strand: str
    start: int
    mismatches: int
    bulge: str
    bulge_at: int


def reverse_complement(text: str) -> str:
    return "".join(PAIR[letter] for letter in reversed(text))


def differences(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def brute_force(
    genome: dict[str, str], guide: str, pam: str, *, pam_first: bool, most: int, bulge: bool, circular: bool = False
) -> list[Found]:
    """Every site on both strands of every contig; `start` is the protospacer's first base on the plus strand."""
    found = []
    for contig, plus in genome.items():
        for strand in "+-":
            text = plus if strand == "+" else reverse_complement(plus)
            for at in range(len(text)):
                found += _at(contig, strand, text, at, guide, pam, pam_first, most, bulge, circular)
    return sorted(found)


def _at(contig, strand, text, at, guide, pam, pam_first, most, bulge, circular):
    """Alignments of `guide` whose PAM begins at `at` of `text`, which is read along the strand."""
    motif = _slice(text, at, at + len(pam), circular)
    if motif is None or any(letter not in IUPAC[wanted] for letter, wanted in zip(motif, pam, strict=True)):
        return []
    inward = guide if pam_first else guide[::-1]
    size, found = len(guide), []

    def site(length: int) -> str | None:
        first, last = (at + len(pam), at + len(pam) + length) if pam_first else (at - length, at)
        letters = _slice(text, first, last, circular)
        if letters is None or "N" in letters:
            return None
        return letters if pam_first else letters[::-1]

    def record(length: int, mismatches: int, kind: str, place: int) -> Found:
        first = at + len(pam) if pam_first else at - length
        start = first if strand == "+" else len(text) - first - length
        return Found(contig, strand, start % len(text), mismatches, kind, place)

    exact, longer, shorter = site(size), site(size + 1), site(size - 1)
    plain = differences(inward, exact) if exact else 99
    if plain <= most:
        found.append(record(size, plain, "", 0))
    if bulge and longer:
        tries = [(differences(inward, longer[:i] + longer[i + 1 :]), i) for i in range(1, size)]
        best, place = min(tries)
        if best <= most and best + 1 < plain:
            found.append(record(size + 1, best, "DNA", place))
    if bulge and shorter:
        tries = [(differences(inward[:i] + inward[i + 1 :], shorter), i) for i in range(1, size - 1)]
        best, place = min(tries)
        if best <= most and best + 1 < plain:
            found.append(record(size - 1, best, "RNA", place))
    return found


def _slice(text: str, first: int, last: int, circular: bool) -> str | None:
    if circular:
        return "".join(text[at % len(text)] for at in range(first, last))
    return text[first:last] if first >= 0 and last <= len(text) else None
