"""The index of a genome: built once, in pieces, and memory-mapped from then on.

A folder holds `index.json`, the bases (one byte each) and, for every PAM, the sites' words and the places of their PAMs
within their contig. Sites of one contig stand together, so a place takes 32 bits in a genome of any size.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, Progress, UnavailableError, cache_folder, digest_file, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._guides._fasta import AMBIGUOUS, Codes, complement, letters_of, read_contigs
from seedtrain.bioinformatics._guides._nucleases import Nuclease, nuclease_of
from seedtrain.bioinformatics._guides._sites import ROOM_EXACT, Words, find_sites, reach, room_of

FORMAT: Final = 1
META: Final = "index.json"
BASES: Final = "bases.u8"
LONGEST_CONTIG: Final = 2**32 - 1
TOLD_BASES: Final = 50_000_000
"""How often building says how far it is."""
SEGMENT: Final = 4 * 1024 * 1024
"""Words mapped at a time: 32 MiB, so that what is resident does not grow with the genome."""


@dataclass(frozen=True)
class Contig:
    """One sequence of the genome. `offset`: of its bases in the file; `ambiguous`: bases that are not A, C, G or T."""

    name: str
    length: int
    offset: int
    ambiguous: int


@dataclass(frozen=True)
class SiteTable:
    """The sites of one PAM and guide length.

    - `entries`: words in the file; `sites`: of them, those with room for a whole guide.
    - `first`: the first entry of every contig, in the order of the contigs.
    """

    pam: str
    length: int
    pam_first: bool
    entries: int
    sites: int
    first: tuple[int, ...]

    @property
    def key(self) -> str:
        """Its name in the folder."""
        return f"{self.pam}-{self.length}"


@dataclass(frozen=True)
class GenomeIndex:
    """An opened index; nothing of it is in memory until it is asked for.

    - `digest`: SHA-256 over names and bases, so that the same genome gives the same digest however it is wrapped.
    """

    folder: Path
    digest: str
    circular: bool
    contigs: tuple[Contig, ...]
    tables: Mapping[str, SiteTable]

    @property
    def length(self) -> int:
        """Bases in all contigs."""
        return sum(contig.length for contig in self.contigs)

    @property
    def known_share(self) -> float:
        """Share of bases that are A, C, G or T: no site holds another."""
        return 1.0 - sum(contig.ambiguous for contig in self.contigs) / self.length

    def sites(self, pam: str) -> int:
        """How many sites of `pam` have room for a whole guide, on both strands."""
        return sum(table.sites for table in self.tables.values() if table.pam == pam)

    def table(self, pam: str, nuclease: Nuclease) -> SiteTable:
        """The sites of one PAM; `InputError` where the index was built without it."""
        try:
            return self.tables[f"{pam}-{nuclease.length}"]
        except KeyError:
            raise InputError(
                f"the index has no sites for {nuclease.name} at {pam}",
                position=Position(str(self.folder)),
                remedy=f"Build it again with the nuclease {nuclease.name}.",
            ) from None

    def contig(self, name: str) -> int:
        """The number of the contig of that name; `InputError` for another."""
        for at, contig in enumerate(self.contigs):
            if contig.name == name:
                return at
        shown = ", ".join(contig.name for contig in self.contigs[:5])
        raise InputError(f"the genome has no contig {name!r}", remedy=f"Use one of its names: {shown}.")

    def codes(self, contig: int, start: int, end: int) -> Codes:
        """Codes of `[start, end)` of a contig, 0-based; beyond its ends it goes round, or is ambiguous if linear."""
        at = self.contigs[contig]
        wanted = np.arange(start, end)
        if self.circular:
            wanted %= at.length
        inside = (wanted >= 0) & (wanted < at.length)
        codes = np.full(end - start, AMBIGUOUS, dtype=np.uint8)
        bases = np.memmap(self.folder / BASES, dtype=np.uint8, mode="r", offset=at.offset, shape=(at.length,))
        codes[inside] = bases[wanted[inside]]
        return codes

    def sequence(self, contig: int, start: int, end: int, strand: str = "+") -> str:
        """Letters of `[start, end)`, read along `strand`."""
        letters = letters_of(self.codes(contig, start, end))
        return letters if strand == "+" else complement(letters)

    def segments(self, table: SiteTable) -> Iterator[tuple[int, Words]]:
        """The words of a table in mapped pieces, each with the number of its first entry."""
        for start in range(0, table.entries, SEGMENT):
            count = min(SEGMENT, table.entries - start)
            path = self.folder / f"{table.key}.words"
            yield start, np.memmap(path, dtype=np.uint64, mode="r", offset=8 * start, shape=(count,))

    def places(self, table: SiteTable, entries: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first base of the PAM, on the plus strand of its contig, of some entries."""
        if not len(entries):
            return np.zeros(0, dtype=np.int64)
        path = self.folder / f"{table.key}.places"
        return np.asarray(np.memmap(path, dtype=np.uint32, mode="r")[entries], dtype=np.int64)

    def contigs_of(self, table: SiteTable, entries: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the contig of some entries."""
        return np.searchsorted(np.array(table.first, dtype=np.int64), entries, side="right").astype(np.int64) - 1


def genome_index(
    fasta: Path,
    nucleases: Sequence[str] = ("SpCas9",),
    *,
    circular: bool = False,
    folder: Path | None = None,
    progress: Progress = silent,
) -> GenomeIndex:
    """The index of `fasta`: opened where it was built before, built where not.

    - `folder`: where it is kept; by default in the cache, by the digest of the file. See `build_genome_index`.
    """
    if not fasta.is_file():
        raise InputError("there is no such genome", position=Position(str(fasta)), remedy="Check the path.")
    wanted = sorted({nuclease_of(name).name for name in nucleases})
    if folder is None:
        shape = "circular" if circular else "linear"
        name = f"{digest_file(fasta)[:24]}-{'+'.join(_tables_of(wanted))}-{shape}"
        folder = cache_folder("guides") / name
    if (folder / META).exists():
        return open_genome_index(folder)
    return build_genome_index(fasta, folder, wanted, circular=circular, progress=progress)


def open_genome_index(folder: Path) -> GenomeIndex:
    """An index that `build_genome_index` wrote; `InputError` for a folder that is none, or is damaged."""
    position = Position(str(folder))
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        assert meta["format"] == FORMAT
        contigs = tuple(Contig(**item) for item in meta["contigs"])
        tables = {key: SiteTable(**{**item, "first": tuple(item["first"])}) for key, item in meta["tables"].items()}
        sizes = {BASES: sum(item.length for item in contigs)}
        for table in tables.values():
            sizes |= {f"{table.key}.words": 8 * table.entries, f"{table.key}.places": 4 * table.entries}
        for name, size in sizes.items():
            assert (folder / name).stat().st_size == size, f"{name} is not {size} bytes"
    except FileNotFoundError:
        raise InputError("this is no index of a genome", position=position, remedy="Build it from FASTA.") from None
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the index is damaged or of another version {error}".strip(),
            position=position,
            remedy="Remove the folder and build the index again.",
        ) from None
    return GenomeIndex(folder, meta["digest"], meta["circular"], contigs, tables)


def build_genome_index(
    fasta: Path,
    folder: Path,
    nucleases: Sequence[str] = ("SpCas9",),
    *,
    circular: bool = False,
    progress: Progress = silent,
) -> GenomeIndex:
    """Index `fasta` into `folder`, whole or not at all, in memory that does not grow with the genome.

    - `nucleases`: names of `NUCLEASES`; all PAMs at which each cuts are indexed.
    - `circular`: every contig is a circle, so that sites across its origin count.

    Raises `InputError` for bad FASTA, or where `folder` holds something else already.
    """
    wanted = sorted({nuclease_of(name).name for name in nucleases})
    if folder.exists() and any(folder.iterdir()):
        raise InputError(
            "the folder is not empty", position=Position(str(folder)), remedy="Give a new folder for the index."
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:40]}."))
    except OSError as error:
        raise UnavailableError(f"cannot write the index: {error.strerror}", position=Position(str(folder))) from error
    try:
        with ExitStack() as stack:
            writer = _Writer(working, wanted, circular, stack)
            for name, codes in read_contigs(fasta):
                writer.take(name, codes)
                progress(0.0, _("index: {done} Mb").format(done=writer.bases // TOLD_BASES * (TOLD_BASES // 10**6)))
            meta = writer.finish()
        (working / META).write_text(json.dumps(meta, indent=1), encoding="utf-8")
        working.chmod(0o755)  # an index is for others to read
        if folder.exists():
            folder.rmdir()
        os.replace(working, folder)
    except OSError as error:
        if (folder / META).exists():  # another process was first; its index is as good
            return open_genome_index(folder)
        raise UnavailableError(f"cannot write the index: {error.strerror}", position=Position(str(folder))) from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return open_genome_index(folder)


def _tables_of(names: Sequence[str]) -> list[str]:
    found = {f"{pam}-{nuclease_of(name).length}" for name in names for pam in nuclease_of(name).searched}
    return sorted(found)


class _Writer:
    """Takes pieces of contigs in their order and appends what they hold to the files."""

    def __init__(self, folder: Path, names: Sequence[str], circular: bool, stack: ExitStack) -> None:
        self._circular = circular
        self._digest = hashlib.sha256()
        self._bases = stack.enter_context((folder / BASES).open("wb"))
        unique = {(pam, item.length, item.pam_first) for item in map(nuclease_of, names) for pam in item.searched}
        self._tables = [_TableWriter(folder, *key, stack) for key in sorted(unique)]
        self._margin = max(reach(table.length, table.pam) for table in self._tables)
        self._contigs: list[dict[str, Any]] = []
        self._head = self._tail = np.zeros(0, dtype=np.uint8)
        self.bases = 0

    def take(self, name: str, codes: Codes) -> None:
        """The next piece of a contig; another name begins another contig."""
        if not self._contigs or self._contigs[-1]["name"] != name:
            self._close()
            self._contigs.append({"name": name, "length": 0, "offset": self.bases, "ambiguous": 0})
            self._digest.update(b">" + name.encode("utf-8") + b"\n")
            self._head = np.zeros(0, dtype=np.uint8)
            self._tail = np.full(self._margin, AMBIGUOUS, dtype=np.uint8)
            for table in self._tables:
                table.begin()
        contig = self._contigs[-1]
        contig["ambiguous"] += int(np.count_nonzero(codes == AMBIGUOUS))
        contig["length"] += len(codes)
        if contig["length"] > LONGEST_CONTIG:
            raise InputError(f"the contig {name!r} is longer than {LONGEST_CONTIG} bases", remedy="Split it.")
        self.bases += len(codes)
        self._digest.update(codes.tobytes())
        self._bases.write(codes.tobytes())
        if len(self._head) < 2 * self._margin:
            self._head = np.concatenate([self._head, codes])[: 2 * self._margin]
        self._scan(codes, contig["length"])

    def _scan(self, codes: Codes, end: int, around: int = LONGEST_CONTIG) -> None:
        """Search what is now known on both sides.

        - `end`: bases of the contig up to the end of `codes`; `around`: where its numbers begin again.

        The first sites of a circle are left for its end, where both their sides are known.
        """
        window = np.concatenate([self._tail, codes])
        start, low, high = end - len(window), self._margin, len(window) - self._margin
        if self._circular:
            low = max(low, self._margin - start)
        if len(window) > 2 * self._margin:
            for table in self._tables:
                table.scan(window, low, max(low, high), start, around)
            self._tail = window[-2 * self._margin :].copy()
        else:
            self._tail = window

    def _close(self) -> None:
        """The end of a contig: what lies beyond is its own beginning, or nothing."""
        if not self._contigs:
            return
        length = self._contigs[-1]["length"]
        beyond = np.full(self._margin, AMBIGUOUS, dtype=np.uint8)
        if self._circular:
            if length < 2 * self._margin:
                raise InputError(
                    f"the contig {self._contigs[-1]['name']!r} of {length} bases is too short for a circle",
                    remedy=f"Circles need {2 * self._margin} bases; index it as linear.",
                )
            beyond = self._head
        self._scan(beyond, length + len(beyond), length)

    def finish(self) -> dict[str, Any]:
        """What `index.json` says."""
        self._close()
        tables = {table.key: table.to_data() for table in self._tables}
        return {
            "format": FORMAT,
            "digest": self._digest.hexdigest(),
            "circular": self._circular,
            "contigs": self._contigs,
            "tables": tables,
        }


class _TableWriter:
    """The files of one PAM."""

    def __init__(self, folder: Path, pam: str, length: int, pam_first: bool, stack: ExitStack) -> None:
        self.pam, self.length, self._pam_first = pam, length, pam_first
        self.key = f"{pam}-{length}"
        self._words: IO[bytes] = stack.enter_context((folder / f"{self.key}.words").open("wb"))
        self._places: IO[bytes] = stack.enter_context((folder / f"{self.key}.places").open("wb"))
        self._first: list[int] = []
        self._entries = self._sites = 0

    def begin(self) -> None:
        """A contig begins."""
        self._first.append(self._entries)

    def scan(self, window: Codes, low: int, high: int, start: int, around: int) -> None:
        """Sites whose PAM begins at `low` to `high` of `window`, whose first base is number `start` of the contig."""
        places, words = find_sites(window, low, high, self.pam, self.length, pam_first=self._pam_first)
        self._entries += len(words)
        self._sites += int(np.count_nonzero(room_of(words) >= ROOM_EXACT))
        self._words.write(words.tobytes())
        self._places.write(((places + start) % around).astype(np.uint32).tobytes())

    def to_data(self) -> dict[str, Any]:
        """Its entry of `index.json`."""
        return {
            "pam": self.pam,
            "length": self.length,
            "pam_first": self._pam_first,
            "entries": self._entries,
            "sites": self._sites,
            "first": self._first,
        }
