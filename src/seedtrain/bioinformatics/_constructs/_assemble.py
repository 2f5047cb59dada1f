"""From a plan to what is in the tube: pieces with their features, primers with their tails, fragments to order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.bioinformatics._constructs._overhangs import choose
from seedtrain.bioinformatics._constructs._plan import AssemblyPlan, Part, Supply, enzyme
from seedtrain.bioinformatics._constructs._primers import SEED, Primer, primer_pair
from seedtrain.bioinformatics._constructs._record import DnaRecord, Feature, join
from seedtrain.bioinformatics._hosts import reverse_complement

PAD: Final = "TTGCAT"
"""In front of a recognition site at the end of a fragment, so that the enzyme holds on (assumed)."""
SPACER: Final = "ACTA"
"""Between a recognition site and the cut of a type IIS enzyme, as far as it asks for letters."""


@dataclass(frozen=True)
class Piece:
    """What a part gives to the product: a line that begins with its own first base, and how it comes."""

    part: Part
    record: DnaRecord
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Fragment:
    """DNA that goes into the reaction.

    - `sequence`: whole, tails included; `circular`: a plasmid that the reaction itself cuts.
    - `primers`: forward and reverse, of a PCR; `template`: what they amplify.
    """

    name: str
    supply: Supply
    sequence: str
    circular: bool
    primers: tuple[Primer, ...] = ()
    template: DnaRecord | None = None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "supply": self.supply,
            "length": len(self.sequence),
            "circular": self.circular,
            "sequence": self.sequence,
            "template": None if self.template is None else self.template.name,
            "primers": [item.name for item in self.primers],
        }


@dataclass(frozen=True)
class Assembly:
    """The product that the plan means, and what makes it. `overhangs`: at the junction behind each part, in order."""

    product: DnaRecord
    pieces: tuple[Piece, ...]
    fragments: tuple[Fragment, ...]
    overhangs: tuple[str, ...] = ()


def assemble(plan: AssemblyPlan) -> Assembly:
    """Product, pieces, fragments and primers of a plan; `InputError` for what cannot be built."""
    if plan.method == "gibson":
        return _gibson(plan)
    return _golden_gate(plan) if plan.method == "golden_gate" else _restriction(plan)


def _product(plan: AssemblyPlan, lines: Sequence[DnaRecord]) -> DnaRecord:
    return join(plan.name, lines, circular=True, description=plan.description or f"{plan.name}, by {plan.method}")


def _piece(part: Part) -> Piece:
    """The bases that a plan names, with the part itself as a feature."""
    record, broken = part.record.cut_out(part.start, part.length)
    return _named(part, record, broken)


def _named(part: Part, record: DnaRecord, broken: tuple[str, ...]) -> Piece:
    turned = record if part.strand == "+" else record.reversed()
    label = Feature("misc_feature", ((1, len(turned)),), "+", {"label": (part.name,), "note": ("part",)})
    return Piece(part, dataclasses.replace(turned, name=part.name, features=(label, *turned.features)), broken)


def _fragment(plan: AssemblyPlan, piece: Piece, left: str, right: str) -> Fragment:
    """A piece with its tails, by PCR or ordered whole."""
    part, text = piece.part, piece.record.sequence
    whole = left + text + right
    if part.supply == "synthesis":
        if set(whole) - set("ACGT"):
            remedy = "Write one base at every place; a library is ordered as such."
            raise plan.error(part.position, f"{part.name} has IUPAC letters, and is to be synthesised", remedy)
        return Fragment(part.name, "synthesis", whole, False)
    template = part.record
    around = template.sequence + (template.sequence[: SEED - 1] if template.circular else "")
    primers = primer_pair(part.name, around, text, (left, reverse_complement(right)), plan.conditions)
    return Fragment(part.name, "pcr", whole, False, primers, template)


def _gibson(plan: AssemblyPlan) -> Assembly:
    pieces = [_piece(part) for part in plan.parts]
    texts = [piece.record.sequence for piece in pieces]
    half = plan.overlap // 2
    fragments = []
    for number, piece in enumerate(pieces):
        if piece.part.supply == "digest":
            remedy = "Open the vector by PCR (supply: pcr), or join with enzymes."
            raise plan.error(piece.part.position, f"{piece.part.name}: a digest in a Gibson assembly", remedy)
        before, behind = texts[number - 1], texts[(number + 1) % len(texts)]
        if min(len(before), len(behind)) < plan.overlap:
            words = f"a neighbour of {piece.part.name} is shorter than the overlap of {plan.overlap}"
            raise plan.error(piece.part.position, words, "Join it with its own neighbour first.")
        fragments.append(_fragment(plan, piece, before[len(before) - (plan.overlap - half) :], behind[:half]))
    return Assembly(_product(plan, [piece.record for piece in pieces]), tuple(pieces), tuple(fragments))


# --- by enzymes ----------------------------------------------------------------------------------------------------


def cuts(text: str, name: str, *, circular: bool) -> list[int]:
    """Where an enzyme cuts the written strand: bases in front of each cut, by Biopython."""
    from Bio.Seq import Seq

    make: Any = Seq
    size = len(text)
    found = {(int(at) - 1) % size for at in enzyme(name).search(make(text), linear=not circular)}
    return sorted(found)


def sites(text: str, name: str) -> int:
    """How often the recognition site of an enzyme stands in a line, on either strand."""
    from seedtrain.bioinformatics._measure import places

    return len(places(text, str(enzyme(name).site), both=True))


@dataclass(frozen=True)
class _Cut:
    """A piece of a digested plasmid: where it begins, how long it is, and the enzymes of its ends."""

    start: int
    length: int
    left: str
    right: str


def _digested(plan: AssemblyPlan, part: Part) -> list[_Cut]:
    record = part.record
    if not record.circular:
        remedy = "Give the vector as a circle (circular: yes for FASTA), or its line by PCR or synthesis."
        raise plan.error(part.position, f"{part.name} is to be digested and is not a circle", remedy)
    every = sorted((at, name) for name in plan.enzymes for at in cuts(record.sequence, name, circular=True))
    if len(every) < len(plan.enzymes) or {name for _at, name in every} != set(plan.enzymes):
        missing = ", ".join(name for name in plan.enzymes if name not in {found for _at, found in every})
        remedy = "Choose enzymes that cut the vector."
        raise plan.error(part.position, f"{part.name}: {missing or 'the enzyme'} does not cut it", remedy)
    size = len(record)
    return [
        _Cut(at, (behind[0] - at) % size or size, name, behind[1])
        for (at, name), behind in zip(every, [*every[1:], every[0]], strict=True)
    ]


def _golden_gate(plan: AssemblyPlan) -> Assembly:
    kind = enzyme(plan.enzymes[0])
    if kind.is_palindromic() or kind.ovhg >= 0 or not 3 <= -kind.ovhg <= 4:
        remedy = "Use a type IIS enzyme with a 5' overhang, such as BsaI, BsmBI, BbsI or SapI."
        raise plan.error(("enzymes", 0), f"{kind} does not cut outside its site with 3 or 4 bases to spare", remedy)
    width = -kind.ovhg
    pieces, fixed = [], list[tuple[str, str] | None]()
    for part in plan.parts:
        piece, ends = _released(plan, part, width) if part.supply == "digest" else (_piece(part), None)
        pieces.append(piece)
        fixed.append(ends)
    windows = [_windows(plan, pieces, fixed, number, width) for number in range(len(pieces))]
    taken = choose([[item[0] for item in options] for options in windows], plan.counts)
    chosen = [options[at] for options, at in zip(windows, taken, strict=True)]
    tail = PAD + str(kind.site) + SPACER[: kind.fst5 - len(kind.site)]
    fragments, lines = [], list[DnaRecord]()
    for number, piece in enumerate(pieces):
        overhang, _taken_left, from_right, scar = chosen[number]
        lines += [piece.record] + ([DnaRecord("", scar)] if scar else [])
        if piece.part.supply == "digest":
            fragments.append(Fragment(piece.part.name, "digest", piece.part.record.sequence, True))
            continue
        before, from_left, _r, scar_before = chosen[number - 1]
        left = tail + (before if scar_before else before[:from_left])
        right = (overhang if scar else overhang[width - from_right :]) + reverse_complement(tail)
        fragments.append(_fragment(plan, piece, left, right))
    overhangs = tuple(item[0] for item in chosen)
    return Assembly(_product(plan, lines), tuple(pieces), tuple(fragments), overhangs)


def _released(plan: AssemblyPlan, part: Part, width: int) -> tuple[Piece, tuple[str, str]]:
    """The piece of a plasmid that keeps no recognition site, and the overhangs at its two ends."""
    name = plan.enzymes[0]
    found = []
    for item in _digested(plan, part):
        record, broken = part.record.cut_out(item.start, item.length)
        if not sites(record.sequence, name):
            found.append((item, record, broken))
    if len(found) != 1:
        remedy = "One piece must lie between two sites that point away from it."
        raise plan.error(part.position, f"{part.name}: {name} releases {len(found)} pieces without a site", remedy)
    item, record, broken = found[0]
    behind = part.record.rotated(item.start + item.length).sequence[:width]
    piece = _named(part, record, broken)
    if part.strand == "+":
        return piece, (record.sequence[:width], behind)
    # On the other strand the piece begins with the overhang behind it: its letters move by one overhang.
    text = part.record.rotated(item.start + width).sequence[: item.length]
    turned, broken = part.record.cut_out(item.start + width, item.length)
    assert turned.sequence == text
    piece = _named(part, turned, broken)
    return piece, (piece.record.sequence[:width], reverse_complement(record.sequence[:width]))


Window = tuple[str, int, int, str]
"""An overhang; how many of its letters the part before gives, and the part behind; and what it adds between them."""


def _windows(
    plan: AssemblyPlan, pieces: Sequence[Piece], fixed: Sequence[tuple[str, str] | None], number: int, width: int
) -> list[Window]:
    """The overhangs that the junction behind a part may have, the most even first."""
    after = (number + 1) % len(pieces)
    left, right = pieces[number].record.sequence, pieces[after].record.sequence
    ends, begins, asked = fixed[number], fixed[after], pieces[after].part.overhang
    if asked and len(asked) != width:
        remedy = f"Give {width} letters."
        raise plan.error(pieces[after].part.position, f"overhang {asked} of {len(asked)} letters", remedy)
    given = {item for item in (ends[1] if ends else None, begins[0] if begins else None, asked) if item}
    if len(given) > 1:
        words = (
            f"{pieces[number].part.name} ends and {pieces[after].part.name} begins with {' and '.join(sorted(given))}"
        )
        raise plan.error(pieces[after].part.position, words, "Change the order of the parts, or an overhang.")
    if not given:
        order = sorted(range(width + 1), key=lambda at: (abs(at - width / 2), at))
        return [(left[len(left) - at :] + right[: width - at], at, width - at, "") for at in order]
    overhang = given.pop()
    if right.startswith(overhang):
        return [(overhang, 0, width, "")]
    if left.endswith(overhang) and not begins:
        return [(overhang, width, 0, "")]
    return [(overhang, 0, 0, overhang)]


def _restriction(plan: AssemblyPlan) -> Assembly:
    if len(plan.parts) != 2 or plan.parts[0].supply != "digest":
        remedy = "Give the vector first, with supply: digest, and one insert."
        raise plan.error(("parts",), f"{len(plan.parts)} parts in restriction cloning", remedy)
    vector, insert = map(_written_forwards, plan.parts)
    first, second = plan.enzymes[0], plan.enzymes[-1]
    kept = max(_digested(plan, vector), key=lambda item: item.length)
    if (kept.left, kept.right) == (first, second):  # the sites stand the other way round: so is the vector written
        vector = dataclasses.replace(vector, record=vector.record.reversed())
        kept = max(_digested(plan, vector), key=lambda item: item.length)
    if (kept.left, kept.right) != (second, first):
        remedy = "Choose enzymes of which each cuts the vector once."
        words = f"the longest piece of {vector.name} lies between {kept.left} and {kept.right}"
        raise plan.error(vector.position, words, remedy)
    piece = _named(vector, *vector.record.cut_out(kept.start, kept.length))
    cloned, fragment = _insert(plan, insert, first, second)
    fragments = (Fragment(vector.name, "digest", vector.record.sequence, True), fragment)
    return Assembly(_product(plan, [piece.record, cloned.record]), (piece, cloned), fragments)


def _written_forwards(part: Part) -> Part:
    """A part that is digested, written along the strand that is meant."""
    if part.supply != "digest" or part.strand == "+":
        return part
    return dataclasses.replace(part, record=part.record.reversed(), strand="+")


def _insert(plan: AssemblyPlan, part: Part, first: str, second: str) -> tuple[Piece, Fragment]:
    """The insert between its cuts, and the DNA from which it is cut."""
    if part.supply == "digest":
        inner = [item for item in _digested(plan, part) if (item.left, item.right) == (first, second)]
        if not inner:
            remedy = "Turn it round, or amplify it with sites in the primers (supply: pcr)."
            raise plan.error(part.position, f"{part.name} has no piece from {first} to {second}", remedy)
        item = min(inner, key=lambda one: one.length)
        record, broken = part.record.cut_out(item.start, item.length)
        return _named(part, record, broken), Fragment(part.name, "digest", part.record.sequence, True)
    piece = _piece(part)
    text = piece.record.sequence
    left = PAD + _without_overlap(str(enzyme(first).site), text)
    right = reverse_complement(PAD + _without_overlap(str(enzyme(second).site), reverse_complement(text)))
    fragment = _fragment(plan, piece, left, right)
    begin = cuts(fragment.sequence, first, circular=False)
    end = cuts(fragment.sequence, second, circular=False)
    if not begin or not end or begin[0] >= end[-1]:
        raise plan.error(part.position, f"{part.name}: {first} and {second} do not cut its ends", "Use other enzymes.")
    whole = join(part.name, [DnaRecord("", left), piece.record, DnaRecord("", right)], circular=False)
    record, broken = whole.cut_out(begin[0], end[-1] - begin[0])
    return Piece(part, record, (*piece.broken, *broken)), fragment


def _without_overlap(site: str, text: str) -> str:
    """A recognition site in front of `text`, less what `text` begins with already (NdeI's CATATG keeps one ATG)."""
    for size in range(len(site) - 1, 2, -1):
        if text.startswith(site[len(site) - size :]):
            return site[: len(site) - size]
    return site
