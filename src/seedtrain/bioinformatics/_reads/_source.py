"""Reads from FASTQ, FASTA and BAM in bounded memory, every fault a typed error."""

from __future__ import annotations

import gzip
import hashlib
import heapq
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, Progress, digest_bytes, digest_file, open_packed, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._reads._packages import reads_package

LONGEST_READ: Final = 5_000_000
"""Bases; a longer line is no read, and would not fit the memory bound."""
MOST_BASES: Final = 60_000_000
"""Bases that are kept for a verdict: a deterministic sample of a larger file."""
MOST_READS: Final = 60_000
TOLD_EVERY: Final = 50_000
"""Reads between two words of progress."""


@dataclass(frozen=True)
class Read:
    """One read: name, bases in upper case, and qualities as Phred+33 text (empty where the file has none)."""

    name: str
    sequence: str
    quality: str = ""


@dataclass(frozen=True)
class Sample:
    """The reads that are judged, in the order of the file, and what the file held altogether."""

    reads: tuple[Read, ...]
    total_reads: int
    total_bases: int

    @property
    def complete(self) -> bool:
        """Whether every read of the file is judged."""
        return len(self.reads) == self.total_reads


def take_sample(reads: Iterable[Read], *, most_bases: int = MOST_BASES, most_reads: int = MOST_READS) -> Sample:
    """At most `most_bases` and `most_reads` of a stream, chosen by the digest of each read.

    The choice depends on the reads alone, not on their order: all reads whose digest is below the largest threshold
    that both bounds allow.
    """
    heap: list[tuple[int, int, Read]] = []
    held = total_reads = total_bases = 0
    bar: int | None = None
    for index, read in enumerate(reads):
        total_reads += 1
        total_bases += len(read.sequence)
        key = int.from_bytes(hashlib.blake2b(f"{read.name}\n{read.sequence}".encode(), digest_size=8).digest(), "big")
        if bar is not None and key >= bar:
            continue
        heapq.heappush(heap, (-key, -index, read))
        held += len(read.sequence)
        while held > most_bases or len(heap) > most_reads:
            worst = heapq.heappop(heap)
            held -= len(worst[2].sequence)
            bar = -worst[0]
    kept = sorted(heap, key=lambda item: -item[1])
    return Sample(tuple(item[2] for item in kept), total_reads, total_bases)


def sample_of(
    reads: Path | Sequence[Read],
    *,
    most_bases: int = MOST_BASES,
    most_reads: int = MOST_READS,
    progress: Progress = silent,
) -> tuple[Sample, str]:
    """`take_sample` of a file or of reads in memory, and what the reads are, with their SHA-256.

    A file is streamed: memory holds what is kept, however many reads there are. Raises `InputError` for a file without
    reads and as `read_reads` does.
    """
    if isinstance(reads, Path):
        sample = take_sample(_told(read_reads(reads), progress), most_bases=most_bases, most_reads=most_reads)
        if not sample.total_reads:
            raise InputError("the file holds no reads", position=Position(str(reads)), remedy="Export them again.")
        return sample, f"{reads.name}, SHA-256 {digest_file(reads)}"
    text = "".join(f"{read.name}\n{read.sequence}\n{read.quality}\n" for read in reads)
    sample = take_sample(reads, most_bases=most_bases, most_reads=most_reads)
    return sample, f"reads in memory, SHA-256 {digest_bytes(text.encode())}"


def _told(reads: Iterable[Read], progress: Progress) -> Iterator[Read]:
    """The same reads; how many there are in a file is known at its end only, so the count is told and no share."""
    progress(0.0, _("reads read: {count}").format(count=0))
    for number, read in enumerate(reads, 1):
        if number % TOLD_EVERY == 0:
            progress(0.0, _("reads read: {count}").format(count=number))
        yield read


def read_reads(path: Path) -> Iterator[Read]:
    """Every read of a FASTQ or FASTA file (gzipped or not) or a BAM file (index or not), one at a time.

    Raises `InputError` with the line (or the record) for a truncated or damaged file, a quality line of another
    length, letters that are no bases, an empty file, a CRAM file.
    """
    position = Position(str(path))
    with open_packed(path, what="file of reads", give="Give one file.") as stream:
        head = stream.read(4)
    if not head:
        raise InputError("the file of reads is empty", position=position, remedy="Export the reads again.")
    if head == b"CRAM":
        raise InputError("CRAM is not read", position=position, remedy="Convert it with: samtools view -b")
    return _bam(path) if head == b"BAM\x01" else _text(path)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    with open_packed(path, what="file of reads") as stream:
        while True:
            number += 1
            position = Position(str(path), number, 1)
            try:
                line = stream.readline(LONGEST_READ + 2)
                text = line.decode("ascii")
            except (EOFError, zlib.error, gzip.BadGzipFile):
                remedy = "Copy it again, or export it again."
                fault = "the compressed file ends too early or is damaged"
                raise InputError(fault, position=position, remedy=remedy) from None
            except UnicodeDecodeError:
                raise InputError(
                    "this line is not text", position=position, remedy="Give FASTQ, FASTA or BAM."
                ) from None
            if not line:
                return
            if len(line) > LONGEST_READ:
                raise InputError(f"a line of over {LONGEST_READ} bytes is no read", position=position)
            yield number, text.rstrip("\r\n")


def _text(path: Path) -> Iterator[Read]:
    lines = _lines(path)
    number, first = next(lines)
    while not first.strip():
        following = next(lines, None)
        if following is None:
            raise InputError("the file of reads is empty", position=Position(str(path)), remedy="Export them again.")
        number, first = following
    if first.startswith("@"):
        yield from _fastq(path, number, first, lines)
    elif first.startswith(">"):
        yield from _fasta(path, number, first, lines)
    else:
        raise InputError(
            f"a file of reads begins with '@' (FASTQ) or '>' (FASTA), not with {first[:1]!r}",
            position=Position(str(path), number, 1),
            remedy="Give FASTQ, FASTA or BAM.",
        )


def _fastq(path: Path, number: int, header: str, lines: Iterator[tuple[int, str]]) -> Iterator[Read]:
    while True:
        if not header.startswith("@"):
            raise InputError(
                f"a record begins with '@', not with {header[:1]!r}",
                position=Position(str(path), number, 1),
                remedy="Export the reads again: four lines a read.",
            )
        rest = [next(lines, None) for _each in range(3)]
        if any(item is None for item in rest):
            raise InputError(
                "the file ends inside this read",
                position=Position(str(path), number, 1),
                remedy="The file was cut off: copy it again.",
            )
        (at, sequence), (plus_at, plus), (_, quality) = (item for item in rest if item is not None)
        if not plus.startswith("+"):
            raise InputError(
                "the third line of a read begins with '+'",
                position=Position(str(path), plus_at, 1),
                remedy="Export again.",
            )
        if len(sequence) != len(quality):
            raise InputError(
                f"{len(sequence)} bases but {len(quality)} qualities",
                position=Position(str(path), at, 1),
                remedy="The file is damaged: export the reads again.",
            )
        yield Read(_name(header), _bases(path, at, sequence), quality)
        following = next(lines, None)
        while following is not None and not following[1].strip():
            following = next(lines, None)
        if following is None:
            return
        number, header = following


def _fasta(path: Path, number: int, header: str, lines: Iterator[tuple[int, str]]) -> Iterator[Read]:
    pieces: list[str] = []
    held = 0
    for at, line in lines:
        if line.startswith(">"):
            yield Read(_name(header), "".join(pieces))
            header, pieces, held = line, [], 0
            continue
        held += len(line)
        if held > LONGEST_READ:
            raise InputError(f"a read of over {LONGEST_READ} bases", position=Position(str(path), at, 1))
        pieces.append(_bases(path, at, line.strip()))
    yield Read(_name(header), "".join(pieces))


def _name(header: str) -> str:
    words = header[1:].split()
    return words[0] if words else ""


_KEPT = str.maketrans("", "", "ACGTNacgtn")
_OTHER = str.maketrans("URYSWKMBDHV", "TNNNNNNNNNN")


def _bases(path: Path, line: int, sequence: str) -> str:
    rest = sequence.translate(_KEPT)
    upper = sequence.upper()
    if not rest:
        return upper
    wrong = rest.upper().translate(str.maketrans("", "", "URYSWKMBDHV"))
    if wrong:
        protein = sum(letter in "EFILPQZX*J" for letter in wrong) > 0.05 * len(sequence)
        message = "this is a protein, and reads are DNA" if protein else f"{wrong[0]!r} is no base"
        raise InputError(message, position=Position(str(path), line, 1), remedy="Give DNA reads.")
    return upper.translate(_OTHER)


def _bam(path: Path) -> Iterator[Read]:
    position = Position(str(path))
    library = reads_package("pysam")
    loud = library.set_verbosity(0)
    number = 0
    try:
        with library.AlignmentFile(str(path), "rb", check_sq=False) as stream:
            for record in stream.fetch(until_eof=True):
                number += 1
                if record.is_secondary or record.is_supplementary:
                    continue
                sequence = record.get_forward_sequence()
                if not sequence:
                    continue
                quality = record.get_forward_qualities()
                text = "" if quality is None else "".join(map(chr, (min(int(item), 93) + 33 for item in quality)))
                yield Read(str(record.query_name), str(sequence).upper().translate(_OTHER), text)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the BAM file ends too early or is damaged after record {number}",
            position=position,
            remedy="Copy it again, or export it again.",
        ) from error
    finally:
        library.set_verbosity(loud)
