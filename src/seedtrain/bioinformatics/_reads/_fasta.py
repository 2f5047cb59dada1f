"""Whether a FASTA file that minimap2 will read itself is one: it takes proteins and files cut off as they are."""

from __future__ import annotations

from gzip import GzipFile
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, open_packed

CHUNK: Final = 1 << 20
"""Bytes read at a time, and of which the letters are looked at: a genome has gigabytes of them."""
LETTERS: Final = b"ACGTUNRYSWKMBDHVacgtunryswkmbdhv"
PROTEIN: Final = b"EFILPQZX*Jefilpqzxj"
MOST_PROTEIN: Final = 0.05
"""Share of letters that only proteins have, from which on a file is called one."""


def check_fasta(path: Path) -> None:
    """Raise `InputError` for no file, a gzip file that is damaged or cut off, another format, a protein, no letters."""
    with open_packed(path, give="Give a FASTA file.") as stream:
        head = stream.read(CHUNK)
        while isinstance(stream, GzipFile) and stream.read(CHUNK):
            pass  # whether it is whole is known at its end
    _check_head(head, Position(str(path)))


def _check_head(head: bytes, position: Position) -> None:
    if not head.strip():
        raise InputError("the file holds no sequence", position=position, remedy="Give FASTA.")
    if not head.lstrip().startswith(b">"):
        shown = head.split()[0][:20].decode("ascii", "replace")
        raise InputError(f"a FASTA file begins with '>', not with {shown!r}", position=position, remedy="Give FASTA.")
    for number, line in enumerate(head.splitlines(), 1):
        text = line.strip()
        wrong = b"" if text.startswith(b">") else text.translate(None, LETTERS)
        if not wrong:
            continue
        where = Position(position.file, number, line.index(wrong[:1]) + 1)
        if len(text) - len(text.translate(None, PROTEIN)) > MOST_PROTEIN * len(text):
            raise InputError("this is a protein, and DNA is needed", position=where, remedy="Give DNA.")
        raise InputError(f"{chr(wrong[0])!r} is no base", position=where, remedy="Give DNA.")
