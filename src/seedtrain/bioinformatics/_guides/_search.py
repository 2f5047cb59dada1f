"""Where a guide may cut: every site of a genome within some mismatches, and beside one bulge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, silent
from seedtrain.bioinformatics._guides._fasta import Codes, codes_of, letters_of
from seedtrain.bioinformatics._guides._index import GenomeIndex, SiteTable
from seedtrain.bioinformatics._guides._nucleases import Nuclease
from seedtrain.bioinformatics._guides._score import CFD_LENGTH, cfd
from seedtrain.bioinformatics._guides._sites import STRAND_SHIFT, Words, bases_of, word_of

Bulge = Literal["", "DNA", "RNA"]
BULGES: Final[tuple[Bulge, ...]] = ("", "DNA", "RNA")
MOST_MISMATCHES: Final = 6
FIRST_CAPACITY: Final = 1 << 16


@dataclass(frozen=True)
class Hit:
    """A site where a guide may cut.

    - `start`, `end`: of the protospacer on the plus strand, 0-based and half-open; a bulge makes it a base longer or
      shorter. In a circle `end` may be beyond the length.
    - `aligned_guide`, `aligned_site`: 5' to 3' on the guide's strand, with `-` for a bulge.
    - `bulge`: `DNA` where the site has a base more, `RNA` where the guide has; `bulge_at`: bases from the PAM to it.
    - `cfd`: cutting frequency determination, only for SpCas9 without bulge.
    """

    contig: str
    start: int
    end: int
    strand: str
    pam: str
    pam_class: str
    aligned_guide: str
    aligned_site: str
    mismatches: int
    bulge: Bulge
    bulge_at: int
    cfd: float | None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; `start` then counts from 1 and `end` is the last base."""
        data: dict[str, Any] = {"contig": self.contig, "start": self.start + 1, "end": self.end, "strand": self.strand}
        data |= {"pam": self.pam, "guide": self.aligned_guide, "site": self.aligned_site}
        data |= {"mismatches": self.mismatches, "bulge": self.bulge or None}
        return data | {"cfd": None if self.cfd is None else round(self.cfd, 6)}


@dataclass(frozen=True)
class Hits:
    """All hits of some guides at one PAM, as arrays of one length; `rows` tells them in words.

    - `guide`: number of the guide; `entry`: of the site in its table; `kind`: 0 none, 1 DNA, 2 RNA bulge.
    """

    index: GenomeIndex
    nuclease: Nuclease
    table: SiteTable
    guides: tuple[str, ...]
    guide: NDArray[np.int64]
    entry: NDArray[np.int64]
    word: Words
    mismatches: NDArray[np.int64]
    kind: NDArray[np.int64]
    bulge_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.guide)

    def counts(self, most: int, *, bulged: bool = False) -> NDArray[np.int64]:
        """Hits by guide and mismatches, shape (guides, most + 1), without bulges or only those with one."""
        counts = np.zeros((len(self.guides), most + 1), dtype=np.int64)
        chosen = (self.kind > 0) == bulged
        np.add.at(counts, (self.guide[chosen], self.mismatches[chosen]), 1)
        return counts

    def take(self, chosen: NDArray[np.int64]) -> Hits:
        """Those hits, in that order."""
        columns = ("guide", "entry", "word", "mismatches", "kind", "bulge_at")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})

    def by_nearness(self) -> Hits:
        """The same hits by guide, edits (a bulge is one), CFD from the highest, and place: an order of their own,
        whatever pieces the genome was read in."""
        minus = self.word >> np.uint64(STRAND_SHIFT)
        contigs, places = self.index.contigs_of(self.table, self.entry), self.index.places(self.table, self.entry)
        edits = self.mismatches + (self.kind > 0)
        return self.take(np.lexsort((self.kind, minus, places, contigs, -self.cfd(), edits, self.guide)))

    def rows(self) -> Iterator[tuple[int, Hit]]:
        """Each hit with the number of its guide, in the order of `by_nearness`."""
        hits = self.by_nearness()
        contigs = hits.index.contigs_of(hits.table, hits.entry)
        places = hits.index.places(hits.table, hits.entry)
        minus = (hits.word >> np.uint64(STRAND_SHIFT)).astype(bool)
        scores = hits.cfd() if hits.has_cfd else None
        for at in range(len(hits)):
            hit = hits._hit(at, int(contigs[at]), int(places[at]), "-" if minus[at] else "+", scores)
            yield int(hits.guide[at]), hit

    def _hit(self, at: int, contig: int, place: int, strand: str, scores: NDArray[np.float64] | None) -> Hit:
        kind, bulge_at, pam = int(self.kind[at]), int(self.bulge_at[at]), len(self.table.pam)
        size = self.nuclease.length + (0, 1, -1)[kind]
        right = (strand == "+") == self.nuclease.pam_first
        start = place + pam if right else place - size
        if self.index.circular:
            start %= self.index.contigs[contig].length
        guide, site = self.guides[int(self.guide[at])], letters_of(bases_of(self.word[at : at + 1], size)[0])
        if not self.nuclease.pam_first:
            guide = guide[::-1]
        if kind == 1:
            guide = f"{guide[:bulge_at]}-{guide[bulge_at:]}"
        elif kind == 2:
            site = f"{site[:bulge_at]}-{site[bulge_at:]}"
        if not self.nuclease.pam_first:
            guide, site = guide[::-1], site[::-1]
        score = None if scores is None or kind else float(scores[at])
        return Hit(
            contig=self.index.contigs[contig].name,
            start=start,
            end=start + size,
            strand=strand,
            pam=self.index.sequence(contig, place, place + pam, strand),
            pam_class=self.table.pam,
            aligned_guide=guide,
            aligned_site=site,
            mismatches=int(self.mismatches[at]),
            bulge=BULGES[kind],
            bulge_at=bulge_at,
            cfd=score,
        )

    @property
    def has_cfd(self) -> bool:
        """Whether cutting frequency determination is defined for the nuclease."""
        return not self.nuclease.pam_first and self.nuclease.length == CFD_LENGTH

    def cfd(self) -> NDArray[np.float64]:
        """CFD of every hit; 0 for those with a bulge, and where it is not defined."""
        scores = np.zeros(len(self))
        if not self.has_cfd or not len(self):
            return scores
        mine = np.flatnonzero(self.kind == 0)
        letters = np.stack([codes_of(guide) for guide in self.guides])[self.guide[mine]]
        sites = bases_of(self.word[mine], CFD_LENGTH)[:, ::-1]
        scores[mine] = cfd(letters, sites, [self.table.pam] * len(mine))
        return scores


def search_guides(
    index: GenomeIndex,
    guides: Sequence[str],
    nuclease: Nuclease,
    *,
    mismatches: int = 4,
    bulge: bool = False,
    pams: Sequence[str] | None = None,
    progress: Progress = silent,
) -> tuple[Hits, ...]:
    """Every site within `mismatches` of each guide, exactly; with `bulge`, also those beside one bulge.

    - `guides`: 5' to 3' without PAM; `pams`: those of `nuclease.searched`, unless fewer are asked for.

    A bulged site counts where its mismatches and one for the bulge are fewer than its mismatches without; of several
    places of the bulge the best stands, then the one nearest to the PAM. Bulges beside the PAM or at the far end are a
    shifted PAM or a shorter guide, not bulges. **Returns** one `Hits` for each PAM. Raises `InputError` for a guide of
    another length or letter.
    """
    if not 0 <= mismatches <= MOST_MISMATCHES:
        raise InputError(f"{mismatches} mismatches", remedy=f"Ask for 0 to {MOST_MISMATCHES}.")
    words = np.array([_word(guide, nuclease) for guide in guides], dtype=np.uint64)
    names = tuple(guide.upper().replace("U", "T") for guide in guides)
    wanted = tuple(pams or nuclease.searched)
    found = []
    for number, pam in enumerate(wanted):
        table = index.table(pam, nuclease)
        parts: list[tuple[NDArray[Any], ...]] = []
        for first, segment in index.segments(table):
            parts += _scanned(segment, words, nuclease.length, mismatches, first, bulge)
            done = (number + (first + len(segment)) / table.entries) / len(wanted)
            progress(done, f"{nuclease.name} {pam}")
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else _nothing()
        found.append(Hits(index, nuclease, table, names, *columns))
    return tuple(found)


def _nothing() -> list[NDArray[Any]]:
    return [np.zeros(0, dtype=np.uint64 if at == 2 else np.int64) for at in range(6)]


def _word(guide: str, nuclease: Nuclease) -> np.uint64:
    letters = guide.upper().replace("U", "T")
    if len(letters) != nuclease.length or set(letters) - set("ACGT"):
        raise InputError(
            f"{guide!r} is no guide of {nuclease.name}",
            remedy=f"Give {nuclease.length} letters A, C, G or T, without the PAM.",
        )
    codes: Codes = codes_of(letters)
    return word_of(codes if nuclease.pam_first else codes[::-1])


def _scanned(
    segment: Words, guides: Words, length: int, most: int, first: int, bulge: bool
) -> list[tuple[NDArray[Any], ...]]:
    """Columns of `Hits` for one segment: without bulge, and with one if asked for."""
    from seedtrain.bioinformatics._guides import _kernel

    parts: list[tuple[NDArray[Any], ...]] = []
    for bulged in (False, True)[: 1 + bulge]:
        capacity = FIRST_CAPACITY
        while True:
            outputs = [np.zeros(capacity, dtype=np.int64) for _ in range(5 if bulged else 3)]
            kernel: Any = _kernel.scan_bulges if bulged else _kernel.scan
            count = int(kernel(segment, guides, length, most, *outputs))
            if count <= capacity:
                break
            capacity = count
        guide, site, mismatches, *rest = (output[:count].copy() for output in outputs)
        kind, place = rest if bulged else (np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))
        parts.append((guide, site + first, np.asarray(segment[site]), mismatches, kind, place))
    return parts
