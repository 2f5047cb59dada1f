"""Sanger traces: the bases, their qualities, the second peaks under them, and what of them is good enough."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, UnavailableError, digest_bytes
from seedtrain.bioinformatics._reads._reference import Ints

Floats = NDArray[np.float64]

TRIM_ERROR: Final = 0.01
"""Chance of an error at which a base neither helps nor hurts the stretch that is kept (Q20, assumed)."""
SHORTEST_TRACE: Final = 60
"""Good bases from which on a trace says anything (assumed)."""
LARGEST_FILE: Final = 20_000_000
"""Bytes; a trace has some 300,000."""
_BASES: Final = "ACGT"


@dataclass(frozen=True)
class Trace:
    """One trace as the sequencer's base caller read it.

    - `sequence`: bases as called, N and IUPAC codes kept; `quality`: Phred, shape "base".
    - `ratio`: the second peak over the called one, shape "base"; `second`: its letter at each base.
    - `start`, `end`: the good stretch, from 0, past the last; equal where none is good enough.
    - `simulated`: whether the file says that it was made up. `digest`: SHA-256 of the file.
    """

    name: str
    sequence: str
    quality: Ints
    ratio: Floats
    second: str
    start: int
    end: int
    simulated: bool
    digest: str

    @property
    def good(self) -> str:
        """The bases of the good stretch."""
        return self.sequence[self.start : self.end]


def trim(quality: Ints, error: float = TRIM_ERROR) -> tuple[int, int]:
    """The stretch whose sum of (`error` - chance of an error) is largest: from 0, past the last; (0, 0) for none.

    **Source** Mott's trimming, as the manual of phred describes it (Ewing & Green 1998, Genome Res 8:186).
    """
    score = error - 10.0 ** (-quality / 10.0)
    best, found, start, held = 0.0, (0, 0), 0, 0.0
    for index, item in enumerate(score.tolist()):
        held += item
        if held <= 0:
            held, start = 0.0, index + 1
        elif held > best:
            best, found = held, (start, index + 1)
    return found


def read_trace(path: Path) -> Trace:
    """One `.ab1` file (ABIF, Applied Biosystems), read with Biopython.

    Raises `InputError` for a file that is missing, empty, cut off, no ABIF, without bases, qualities or peaks.
    """
    position = Position(str(path))
    raw, data = _parsed(path, position)
    sequence = bytes(data.get("PBAS2") or data.get("PBAS1") or b"").decode("ascii", "replace").upper()
    quality = np.frombuffer(bytes(data.get("PCON2") or data.get("PCON1") or b""), dtype=np.uint8).astype(np.int64)
    peaks = np.array(data.get("PLOC2") or data.get("PLOC1") or (), dtype=np.int64)
    order = bytes(data.get("FWO_1") or b"").decode("ascii", "replace")
    if not sequence:
        raise InputError("the trace has no bases", position=position, remedy="Export it with the base calls.")
    if len(quality) != len(sequence) or not quality.any():
        raise InputError(
            f"{len(sequence)} bases but {int(np.count_nonzero(quality))} qualities above 0",
            position=position,
            remedy="Call the bases with a program that gives qualities (KB, phred), and export again.",
        )
    tags = {base: f"DATA{9 + order.index(base)}" for base in _BASES if base in order}
    channels = {base: np.array(data.get(tag) or (), dtype=np.float64) for base, tag in tags.items()}
    size = min((len(item) for item in channels.values()), default=0)
    if len(channels) < 4 or len(peaks) != len(sequence) or not size or peaks.min() < 0 or peaks.max() >= size:
        raise InputError("the trace lacks its peaks", position=position, remedy="Export the whole .ab1 file again.")
    ratio, second = _second_peaks(sequence, peaks, {base: item[:size] for base, item in channels.items()})
    start, end = trim(quality)
    return Trace(
        name=path.stem,
        sequence=sequence,
        quality=quality,
        ratio=ratio,
        second=second,
        start=start,
        end=end,
        simulated=bytes(data.get("CMNT1") or b"").startswith(b"simulated"),
        digest=digest_bytes(raw),
    )


def _parsed(path: Path, position: Position) -> tuple[bytes, Mapping[str, Any]]:
    import io
    import warnings

    from Bio import SeqIO

    try:
        if path.is_file() and path.stat().st_size > LARGEST_FILE:
            raise InputError(f"over {LARGEST_FILE} bytes are no trace", position=position, remedy="Check the path.")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such trace", position=position, remedy="Check the path.") from None
    except OSError as error:
        raise UnavailableError(f"the trace cannot be read: {error.strerror}", position=position) from error
    if not raw:
        raise InputError("the trace is empty", position=position, remedy="Export it again.")
    if raw[:4] != b"ABIF":
        raise InputError("this is no trace: it does not begin with ABIF", position=position, remedy="Give .ab1 files.")
    parse: Any = SeqIO.parse
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record = next(iter(parse(io.BytesIO(raw), "abi")))
    except (ValueError, AssertionError, struct.error, StopIteration, UnicodeError, TypeError, IndexError) as error:
        raise InputError(
            "the trace is damaged or cut off", position=position, remedy="Copy it again, or export it again."
        ) from error
    found: Mapping[str, Any] = {
        key: (item,) if isinstance(item, int) and key.startswith("PLOC") else item
        for key, item in record.annotations["abif_raw"].items()
    }
    return raw, found


def _second_peaks(sequence: str, peaks: Ints, channels: Mapping[str, Floats]) -> tuple[Floats, str]:
    """The highest other peak near each call over the called one's, and its letter; shoulders of neighbours are none."""
    size = len(next(iter(channels.values())))
    ratio = np.zeros(len(sequence))
    second = ["N"] * len(sequence)
    gaps = np.diff(peaks)
    usual = int(np.median(gaps)) if len(gaps) else 10
    reach = max(1, usual // 4)
    for index, (call, peak) in enumerate(zip(sequence, peaks.tolist(), strict=True)):
        low, high = max(0, peak - reach), min(size, peak + reach + 1)
        own = float(channels[call][low:high].max()) if call in channels else 0.0
        best = 0.0
        for base, values in channels.items():
            if base == call:
                continue
            near = values[low:high]
            at = int(near.argmax())
            if 0 < at < len(near) - 1 and near[at] > best:
                best, second[index] = float(near[at]), base
        ratio[index] = best / own if own > 0 else 0.0
    return ratio, "".join(second)
