"""Reads from FASTQ, FASTA and BAM, one at a time, every fault a typed error with its line or record."""

from __future__ import annotations

import gzip
import hashlib
import heapq
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, UnavailableError
from seedtrain.vectors._packages import package

LONGEST_READ: Final = 1_000_000
"""Bases; an AAV genome has 5,000, its plasmid 20,000."""
MOST_READS: Final = 20_000
"""Reads that are judged of a larger file, chosen by their digests: bounds time and memory."""
_KNOWN: Final = str.maketrans("", "", "ACGTNacgtn")
_OTHER: Final = str.maketrans("URYSWKMBDHV", "TNNNNNNNNNN")
_IUPAC: Final = frozenset("URYSWKMBDHV")


@dataclass(frozen=True)
class Read:
    """One read: name and bases in upper case."""

    name: str
    sequence: str


@dataclass(frozen=True)
class Sample:
    """The reads that are judged, in the order of the file, and how many the file holds."""

    reads: tuple[Read, ...]
    total: int


def take_sample(reads: Iterable[Read], most: int = MOST_READS) -> Sample:
    """At most `most` of the reads: those whose digests are least, whatever their order."""
    heap: list[tuple[int, int, Read]] = []
    total = 0
    for index, read in enumerate(reads):
        total += 1
        text = f"{read.name}\n{read.sequence}".encode()
        key = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        entry = (-key, -index, read)
        if len(heap) < most:
            heapq.heappush(heap, entry)
        elif entry[:2] > heap[0][:2]:
            heapq.heapreplace(heap, entry)
    return Sample(tuple(item[2] for item in sorted(heap, key=lambda item: -item[1])), total)


def read_reads(path: Path) -> Iterator[Read]:
    """Every read of a FASTQ or FASTA file (gzipped or not) or of a BAM file (index or not).

    Alignments of a BAM file are not used: only its primary records, for their bases. Raises `InputError` for a file
    that is missing, empty, cut off or damaged, for letters that are no bases, and for qualities of another length.
    """
    position = Position(str(path))
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
        packed = head[:2] == b"\x1f\x8b"
        if packed:
            with gzip.open(path, "rb") as opened:
                head = opened.read(4)
    except FileNotFoundError:
        raise InputError("there is no such file of reads", position=position, remedy="Check the path.") from None
    except IsADirectoryError:
        raise InputError("this is a folder, not reads", position=position, remedy="Give one file.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise _cut(position) from None
    except OSError as error:
        raise UnavailableError(f"the reads cannot be read: {error.strerror}", position=position) from error
    if not head:
        raise InputError("the file of reads is empty", position=position, remedy="Export the reads again.")
    if head == b"CRAM":
        raise InputError("CRAM is not read", position=position, remedy="Convert it with: samtools view -b")
    return _bam(path) if head == b"BAM\x01" else _text(path, packed=packed)


def _cut(position: Position) -> InputError:
    return InputError(
        "the compressed file ends too early or is damaged", position=position, remedy="Copy it again, or export again."
    )


def _lines(path: Path, *, packed: bool) -> Iterator[tuple[int, str]]:
    number = 0
    with gzip.open(path, "rb") if packed else path.open("rb") as stream:
        while True:
            number += 1
            here = Position(str(path), number, 1)
            try:
                line = stream.readline(LONGEST_READ + 2)
                text = line.decode("ascii")
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise _cut(here) from None
            except UnicodeDecodeError:
                raise InputError("this line is not text", position=here, remedy="Give FASTQ, FASTA or BAM.") from None
            except OSError as error:
                raise UnavailableError(f"the reads cannot be read: {error.strerror}", position=here) from error
            if not line:
                return
            if len(line) > LONGEST_READ:
                raise InputError(f"a line of over {LONGEST_READ} bytes is no read", position=here)
            yield number, text.rstrip("\r\n")


def _text(path: Path, *, packed: bool) -> Iterator[Read]:
    lines = ((number, line) for number, line in _lines(path, packed=packed) if line.strip())
    found = next(lines, None)
    if found is None:
        raise InputError("the file of reads is empty", position=Position(str(path)), remedy="Export the reads again.")
    if found[1][0] not in "@>":
        raise InputError(
            f"a file of reads begins with '@' (FASTQ) or '>' (FASTA), not with {found[1][:1]!r}",
            position=Position(str(path), found[0], 1),
            remedy="Give FASTQ, FASTA or BAM.",
        )
    yield from (_fastq if found[1][0] == "@" else _fasta)(path, found, lines)


def _fastq(path: Path, header: tuple[int, str], lines: Iterator[tuple[int, str]]) -> Iterator[Read]:
    following: tuple[int, str] | None = header
    while following is not None:
        at, head = following
        if not head.startswith("@"):
            raise InputError(
                f"a record begins with '@', not with {head[:1]!r}",
                position=Position(str(path), at, 1),
                remedy="Export the reads again: four lines a read.",
            )
        bases, plus, quality = (next(lines, None) for _each in range(3))
        if bases is None or plus is None or quality is None:
            raise InputError(
                "the file ends inside this read",
                position=Position(str(path), at, 1),
                remedy="The file was cut off: copy it again.",
            )
        if not plus[1].startswith("+") or len(bases[1]) != len(quality[1]):
            raise InputError(
                f"{len(bases[1])} bases, then {plus[1][:1]!r}, then {len(quality[1])} qualities",
                position=Position(str(path), bases[0], 1),
                remedy="Export the reads again: bases, '+', as many qualities.",
            )
        yield Read(_name(head), _bases(path, *bases))
        following = next(lines, None)


def _fasta(path: Path, header: tuple[int, str], lines: Iterator[tuple[int, str]]) -> Iterator[Read]:
    name, pieces, held = _name(header[1]), list[str](), 0
    for at, line in lines:
        if line.startswith(">"):
            yield Read(name, "".join(pieces))
            name, pieces, held = _name(line), [], 0
            continue
        held += len(line)
        if held > LONGEST_READ:
            raise InputError(f"a read of over {LONGEST_READ} bases", position=Position(str(path), at, 1))
        pieces.append(_bases(path, at, line.strip()))
    yield Read(name, "".join(pieces))


def _name(header: str) -> str:
    words = header[1:].split()
    return words[0] if words else ""


def _bases(path: Path, line: int, sequence: str) -> str:
    wrong = set(sequence.translate(_KNOWN).upper()) - _IUPAC
    if wrong:
        where = Position(str(path), line, 1)
        protein = len(wrong & set("EFILPQZX*J")) > 2
        message = "this is a protein, and reads are DNA" if protein else f"{min(wrong)!r} is no base"
        raise InputError(message, position=where, remedy="Give DNA reads.")
    return sequence.upper().translate(_OTHER)


def _bam(path: Path) -> Iterator[Read]:
    library = package("pysam")
    loud = library.set_verbosity(0)
    number = 0
    try:
        with library.AlignmentFile(str(path), "rb", check_sq=False) as stream:
            for record in stream.fetch(until_eof=True):
                number += 1
                if record.is_secondary or record.is_supplementary:
                    continue
                sequence = record.get_forward_sequence()
                if sequence:
                    yield Read(str(record.query_name), str(sequence).upper().translate(_OTHER))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the BAM file ends too early or is damaged after record {number}",
            position=Position(str(path)),
            remedy="Copy it again, or export it again.",
        ) from error
    finally:
        library.set_verbosity(loud)
