"""What Cas-OFFinder 3.0.0 finds, and the rules by which genomes and guides are drawn for it.

`python -m tests.bioinformatics_guides.cas_offinder` runs a `cas-offinder` of the PATH (OpenCL on the CPU) and writes
the golden files anew (`... drawn`: those of the drawn genome only); it prints the CPU seconds a guide of both searches.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from seedtrain.bioinformatics import NUCLEASES, GenomeIndex, build_genome_index, search_guides
from seedtrain.bioinformatics._guides._nucleases import Nuclease
from tests.bioinformatics_guides.reference import IUPAC, differences, reverse_complement

GOLDEN: Final = Path(__file__).parent / "golden"
MG1655_COUNTS: Final = GOLDEN / "cas_offinder_mg1655.csv"
DRAWN_SITES: Final = GOLDEN / "cas_offinder_drawn.csv"
ORIGIN: Final = GOLDEN / "cas_offinder.json"
MOST: Final = 4
SETS: Final = {"NGG": "SpCas9", "NAG": "SpCas9", "TTTV": "Cas12a"}
KINDS: Final = ("", "DNA", "RNA")
COUNTED: Final = tuple(f"{kind or 'plain'}_{many}" for kind in KINDS for many in range(MOST + 1))

Site = tuple[int, str, str, int, str, int]
"""Number of the guide, contig, strand, first base of the PAM on the plus strand (0-based), bulge, mismatches."""


# --- what is drawn --------------------------------------------------------------------------------------------------


def fits(pam: str, letters: str) -> bool:
    return len(pam) == len(letters) and all(one in IUPAC[wanted] for one, wanted in zip(letters, pam, strict=True))


def drawn_guides(text: str, pam: str, count: int = 100) -> list[str]:
    """Protospacers at `pam` on the written strand at random places; the n-th with n modulo 5 of its letters replaced,
    so that sites of every number of mismatches are there to be found."""
    nuclease, rng, guides = NUCLEASES[SETS[pam]], random.Random(20261122), list[str]()
    size = nuclease.length
    while len(guides) < count:
        at = rng.randrange(100, len(text) - 100)
        motif = text[at - len(pam) : at] if nuclease.pam_first else text[at + size : at + size + len(pam)]
        if not fits(pam, motif):
            continue
        letters = list(text[at : at + size])
        for place in rng.sample(range(size), len(guides) % (MOST + 1)):
            letters[place] = rng.choice([letter for letter in "ACGT" if letter != letters[place]])
        guides.append("".join(letters))
    return guides


def drawn_genome() -> tuple[dict[str, str], dict[str, list[str]]]:
    """Three contigs of near copies of guides on both strands, with N in runs and alone, and letters of either case;
    and the guides, four for each PAM."""
    rng = random.Random(5)
    guides = {
        pam: ["".join(rng.choices("ACGT", k=NUCLEASES[name].length)) for _ in range(4)] for pam, name in SETS.items()
    }
    genome = {}
    for contig in ("one", "two", "three"):
        parts = ["".join(rng.choices("ACGT", k=40))]
        for _ in range(40):
            pam = rng.choice(sorted(SETS))
            motif = "".join(rng.choice(IUPAC[letter]) for letter in pam)
            copy = _near(rng, rng.choice(guides[pam]))
            site = motif + copy if NUCLEASES[SETS[pam]].pam_first else copy + motif
            if rng.random() < 0.1:
                place = rng.randrange(len(site))
                site = f"{site[:place]}N{site[place + 1 :]}"
            parts.append(site if rng.random() < 0.5 else reverse_complement(site))
            parts.append("N" * rng.randrange(60) if rng.random() < 0.2 else "".join(rng.choices("ACGT", k=30)))
        genome[contig] = "".join(part.lower() if rng.random() < 0.4 else part for part in parts)
    return genome, guides


def _near(rng: random.Random, guide: str) -> str:
    letters = list(guide)
    for _ in range(rng.randrange(6)):
        letters[rng.randrange(len(letters))] = rng.choice("ACGT")
    kind, at = rng.randrange(3), rng.randrange(1, len(letters) - 1)
    if kind == 1:
        letters.insert(at, rng.choice("ACGT"))
    elif kind == 2:
        del letters[at]
    return "".join(letters)


# --- theirs ---------------------------------------------------------------------------------------------------------


def their_sites(program: str, fasta: Path, genome: Mapping[str, str], guides: Sequence[str], pam: str) -> list[Site]:
    """What Cas-OFFinder finds up to four mismatches: without bulges by one run, with one base more or less by another.

    It counts N of a genome as a mismatch, and takes it for the N of a PAM, where a site with N is none of ours: such
    sites are left out. It lists every
    alignment of a bulge, also one at either end of the guide, where it is a shifted PAM or a shorter guide: by our rule
    the best inner one of a site stands, and only where it needs fewer edits than the site without a bulge.
    """
    nuclease = NUCLEASES[SETS[pam]]
    upper = {name: text.upper() for name, text in genome.items()}
    found: dict[tuple[int, str, str, int, str], int] = {}
    for bulged in (False, True):
        for row in _ran(program, fasta, guides, pam, bulged):
            site = _site(row, nuclease, pam, bulged)
            if site is None or (site[4] != "") != bulged:
                continue
            place = site[:5]
            found[place] = min(site[5], found.get(place, MOST + 1))
    kept = []
    for (number, contig, strand, at, kind), mismatches in found.items():
        size = nuclease.length + {"": 0, "DNA": 1, "RNA": -1}[kind]
        letters = _protospacer(upper[contig], at, size, strand, nuclease, pam)
        if letters is None or "N" in letters + upper[contig][at : at + len(pam)]:
            continue
        plain = _protospacer(upper[contig], at, nuclease.length, strand, nuclease, pam)
        without = differences(plain, guides[number]) if plain and "N" not in plain else 99
        if not kind or mismatches + 1 < without:
            kept.append((number, contig, strand, at, kind, mismatches))
    return sorted(kept)


def _ran(program: str, fasta: Path, guides: Sequence[str], pam: str, bulged: bool) -> list[list[str]]:
    nuclease = NUCLEASES[SETS[pam]]
    any_pam, any_guide = "N" * len(pam), "N" * nuclease.length

    def joined(motif: str, guide: str) -> str:
        return motif + guide if nuclease.pam_first else guide + motif

    lines = [str(fasta.parent), joined(pam, any_guide) + (" 1 1" if bulged else "")]
    lines += [f"{joined(any_pam, guide)} {MOST}" for guide in guides]
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked.txt", Path(folder) / "answered.txt"
        asked.write_text("\n".join(lines) + "\n")
        subprocess.run([program, str(asked), "C", str(answered)], check=True, capture_output=True)
        text = answered.read_text()
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def _site(row: Sequence[str], nuclease: Nuclease, pam: str, bulged: bool) -> Site | None:
    """One line of theirs as a site; None for a bulge at either end of the guide.

    Version 3.0.0 searches bulges in a window that is wider by the base more; on the minus strand the places of
    PAM-first patterns are those of the window, so what the site lacks of it is added.
    """
    number, kind, guide, dna, contig, place, strand, mismatches, _size = row
    kind = "" if kind == "X" else kind
    at, whole = int(place), len(dna.replace("-", ""))
    if bulged and nuclease.pam_first and strand == "-":
        at += {"": 1, "DNA": 0, "RNA": 2}[kind]
    if kind:
        gap = (guide if kind == "DNA" else dna).index("-") - (len(pam) if nuclease.pam_first else 0)
        if gap in ((0, nuclease.length) if kind == "DNA" else (0, nuclease.length - 1)):
            return None
    if (strand == "+") != nuclease.pam_first:
        at += whole - len(pam)
    return int(number), contig, strand, at, kind, int(mismatches)


def _protospacer(text: str, at: int, size: int, strand: str, nuclease: Nuclease, pam: str) -> str | None:
    """Letters beside the PAM at `at`, along the strand; None where the contig ends before."""
    first = at - size if (strand == "+") != nuclease.pam_first else at + len(pam)
    if first < 0 or first + size > len(text):
        return None
    letters = text[first : first + size]
    return letters if strand == "+" else reverse_complement(letters)


# --- ours -----------------------------------------------------------------------------------------------------------


def our_sites(index: GenomeIndex, guides: Sequence[str], pam: str) -> list[Site]:
    """What our search finds, in the same form."""
    nuclease = NUCLEASES[SETS[pam]]
    sites = []
    for hits in search_guides(index, guides, nuclease, mismatches=MOST, bulge=True, pams=[pam]):
        for number, hit in hits.rows():
            at = hit.end if (hit.strand == "+") != nuclease.pam_first else hit.start - len(pam)
            sites.append((number, hit.contig, hit.strand, at, hit.bulge, hit.mismatches))
    return sorted(sites)


# --- golden files ---------------------------------------------------------------------------------------------------


def write_fasta(path: Path, genome: Mapping[str, str]) -> Path:
    lines = []
    for name, text in genome.items():
        lines += [f">{name}", *(text[at : at + 61] for at in range(0, len(text), 61))]
    path.write_text("\n".join(lines) + "\n")
    return path


def digest(rows: Iterable[object]) -> str:
    """SHA-256 of rows as lines."""
    return hashlib.sha256("\n".join(map(str, rows)).encode()).hexdigest()


def counted(sites: Iterable[Site], guides: int) -> list[list[int]]:
    """Sites of each guide, in the order of `COUNTED`."""
    rows = [[0] * len(COUNTED) for _ in range(guides)]
    for number, _contig, _strand, _at, kind, mismatches in sites:
        rows[number][KINDS.index(kind) * (MOST + 1) + mismatches] += 1
    return rows


def golden_counts() -> dict[str, list[list[int]]]:
    """Their counts on MG1655, by PAM and guide."""
    found: dict[str, list[list[int]]] = {pam: [] for pam in SETS}
    for pam, _guide, *counts in list(csv.reader(io.StringIO(MG1655_COUNTS.read_text())))[1:]:
        found[pam].append([int(count) for count in counts])
    return found


def golden_sites() -> dict[str, list[Site]]:
    """Their sites in the drawn genome, by PAM."""
    found: dict[str, list[Site]] = {pam: [] for pam in SETS}
    for pam, number, contig, strand, at, kind, mismatches in list(csv.reader(io.StringIO(DRAWN_SITES.read_text())))[1:]:
        found[pam].append((int(number), contig, strand, int(at), kind, int(mismatches)))
    return found


def golden_origin() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(ORIGIN.read_text())
    return data


def _seconds(work: Any) -> tuple[Any, float]:
    """What a piece of work returns, and CPU seconds of this process and of those that it ran."""

    def spent() -> float:
        who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))

    began = spent()
    found = work()
    return found, spent() - began


def main(program: str = "cas-offinder") -> None:
    origin = golden_origin()
    with tempfile.TemporaryDirectory() as folder:
        origin |= _searched_drawn(program, Path(folder))
        if "drawn" not in sys.argv:
            origin |= _searched_mg1655(program, Path(folder)) | {"made_on": time.strftime("%Y-%m-%d")}
    ORIGIN.write_text(json.dumps(origin, indent=2) + "\n")


def _searched_drawn(program: str, folder: Path) -> dict[str, Any]:
    genome, guides_of = drawn_genome()
    (place := folder / "drawn").mkdir()
    fasta = write_fasta(place / "drawn.fa", genome)
    rows = [
        [pam, *site] for pam, guides in guides_of.items() for site in their_sites(program, fasta, genome, guides, pam)
    ]
    _write(DRAWN_SITES, ["pam", "guide", "contig", "strand", "pam_at", "bulge", "mismatches"], rows)
    return {"drawn_genome": digest(genome.items())}


def _searched_mg1655(program: str, folder: Path) -> dict[str, Any]:
    from tests.bioinformatics_guides.test_search import MG1655

    (place := folder / "mg1655").mkdir()
    text = gzip.decompress(MG1655.read_bytes()).decode()
    (place / "genome.fa").write_text(text)
    name, letters = text.split("\n", 1)
    genome = {name[1:].split()[0]: letters.replace("\n", "").upper()}
    index = build_genome_index(place / "genome.fa", folder / "index", sorted(set(SETS.values())))
    rows, sites, guided = list[list[object]](), dict[str, str](), dict[str, str]()
    for pam in SETS:
        guides = drawn_guides(next(iter(genome.values())), pam)
        _told(program, place / "genome.fa", index, guides, pam)
        theirs = their_sites(program, place / "genome.fa", genome, guides, pam)
        guided[pam], sites[pam] = digest(guides), digest(theirs)
        rows += [[pam, at, *counts] for at, counts in enumerate(counted(theirs, len(guides)))]
    _write(MG1655_COUNTS, ["pam", "guide", *COUNTED], rows)
    return {"genome": index.digest, "guides": guided, "sites": sites}


def _told(program: str, fasta: Path, index: GenomeIndex, guides: Sequence[str], pam: str) -> None:
    nuclease = NUCLEASES[SETS[pam]]
    for bulged in (False, True):

        def ours(bulge: bool = bulged) -> object:
            return search_guides(index, guides, nuclease, mismatches=MOST, bulge=bulge, pams=[pam])

        def theirs(bulge: bool = bulged) -> object:
            return _ran(program, fasta, guides, pam, bulge)

        ours()
        mine, other = _seconds(ours)[1] / len(guides), _seconds(theirs)[1] / len(guides)
        print(f"{pam}{', one bulge' if bulged else ''}: ours {mine:.6f}, Cas-OFFinder {other:.6f} CPU s a guide")


def _write(path: Path, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
