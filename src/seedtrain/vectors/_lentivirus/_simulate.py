"""Simulated reads of proviruses of known kind in a made-up host, marked as simulated, for tests and trials.

The provirus is random but for what the kinds need: two equal repeats, a splice donor and an acceptor. A read is one
whole provirus with 150 to 400 bases of the host on either side, where five bases are doubled, on either strand, with
the error model of `simulate_reads` at Q30. Deletions are 200 to 900 bases; a truncation keeps 30 to 80 %;
hypermutation turns 30 % of the G before AD and GD to A; a rearrangement turns 600 bases around. All figures are
assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from seedtrain.bioinformatics import ErrorModel, Read, reverse_complement, simulate_reads
from seedtrain.vectors._lentivirus._provirus import Provirus, make_provirus

SIZES: Final = (("5' LTR", 234), ("psi", 360), ("RRE", 234), ("cPPT", 118), ("transgene", 1900), ("WPRE", 589))
DONOR: Final = "CTGGTGAGTACG"
ACCEPTOR: Final = "TTTCTTTCCCCTGCAGGC"


def example_provirus(*, seed: int, annotated: bool = True) -> Provirus:
    """A made-up provirus with all parts; with `annotated`, its splice sites stand in it as well."""
    rng = np.random.default_rng([seed, 9719])
    text, spans = "", list[tuple[str, int, int]]()
    for name, size in SIZES:
        piece = _random(size, rng)
        if name == "psi":
            piece = piece[:60] + DONOR + piece[60 + len(DONOR) :]
        if name == "cPPT":
            piece = piece[:20] + ACCEPTOR + piece[20 + len(ACCEPTOR) :]
        spans.append((name, len(text), len(text) + size))
        text += piece
    spans.append(("3' LTR", len(text), len(text) + SIZES[0][1]))
    text += text[: SIZES[0][1]]
    if annotated:
        donor, acceptor = text.index(DONOR) + 3, text.index(ACCEPTOR) + 16
        spans += [("splice donor", donor, donor + 2), ("splice acceptor", acceptor, acceptor + 1)]
    return make_provirus(f"simulated-{seed}", text, spans)


def simulate_proviruses(
    provirus: Provirus,
    counts: Mapping[str, int],
    host: str,
    *,
    seed: int,
    sites: int = 40,
    quality: float = 30.0,
) -> list[tuple[Read, str, int]]:
    """(read, kind, place in the host from 0) for `counts` by kind; `sites` places are drawn and shared."""
    rng = np.random.default_rng([seed, 51])
    places = rng.integers(500, len(host) - 500, sites)
    model = ErrorModel(quality=quality, quality_spread=2)
    made: list[tuple[Read, str, int]] = []
    for kind, count in counts.items():
        for _each in range(count):
            place = int(rng.choice(places))
            text = _molecule(provirus, kind, host, place, rng)
            number = seed * 100_000 + len(made)
            made.append((simulate_reads(text, 1, seed=number, circular=False, model=model)[0], kind, place))
    return made


def _molecule(provirus: Provirus, kind: str, host: str, place: int, rng: np.random.Generator) -> str:
    text, size = provirus.sequence, len(provirus)
    repeat = SIZES[0][1]
    left = host[place - int(rng.integers(150, 400)) : place + 5]
    right = host[place : place + int(rng.integers(150, 400))]
    if kind == "host":
        return left + host[place + 5 : place + 600]
    if kind == "spliced":
        text = text[: text.index(DONOR) + 3] + text[text.index(ACCEPTOR) + 16 :]
    elif kind == "internal-deletion":
        gap = int(rng.integers(200, 900))
        start = int(rng.integers(repeat + 100, size - repeat - gap - 100))
        text = text[:start] + text[start + gap :]
    elif kind == "truncated":
        keep = int(size * rng.uniform(0.3, 0.8))
        text = text[:keep] if rng.random() < 0.5 else text[-keep:]
    elif kind == "solo-ltr":
        text = text[:repeat]
    elif kind == "rearranged":
        start = int(rng.integers(repeat + 200, size - repeat - 800))
        text = text[:start] + reverse_complement(text[start : start + 600]) + text[start + 600 :]
    elif kind == "hypermutated":
        text = _mutated(text, rng)
    elif kind == "open":
        return left + text[: int(size * rng.uniform(0.3, 0.8))]
    return left + text + right


def _mutated(text: str, rng: np.random.Generator) -> str:
    letters = list(text)
    for site in range(len(text) - 2):
        if text[site] == "G" and text[site + 1] in "AG" and text[site + 2] != "C" and rng.random() < 0.3:
            letters[site] = "A"
    return "".join(letters)


def _random(size: int, rng: np.random.Generator) -> str:
    return "".join("ACGT"[int(code)] for code in rng.integers(0, 4, size))
