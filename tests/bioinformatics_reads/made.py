"""Clones made for the tests, and what is planted in them."""

from __future__ import annotations

import numpy as np

from seedtrain.bioinformatics import Read, Reference, simulate_reads

OTHER = {"A": "G", "C": "T", "G": "A", "T": "C"}


def random_dna(size: int, seed: int) -> str:
    rng = np.random.default_rng([seed, 99])
    return "".join("ACGT"[int(code)] for code in rng.integers(0, 4, size))


def clone(size: int = 3000, seed: int = 5) -> Reference:
    """A circle with a G9, an A30 and no other long homopolymer than chance makes."""
    text = random_dna(size, seed)
    text = text[:1000] + "T" + "G" * 9 + "C" + text[1011:1500] + "C" + "A" * 30 + "G" + text[1532:]
    return Reference("clone", text)


def plain(size: int = 3000, seed: int = 6) -> Reference:
    """A circle without planted homopolymers."""
    return Reference("plain", random_dna(size, seed))


def snv(text: str, site: int) -> str:
    return text[:site] + OTHER[text[site]] + text[site + 1 :]


def deleted(text: str, site: int, size: int = 1) -> str:
    return text[:site] + text[site + size :]


def inserted(text: str, site: int, piece: str) -> str:
    return text[:site] + piece + text[site:]


def planted(reference: Reference) -> dict[str, str]:
    """The kinds of difference that a clone can have, each as the whole wrong molecule."""
    text = reference.sequence
    return {
        "substitution": snv(text, quiet(reference, 700)),
        "substitution at the origin": snv(text, 1),
        "deletion of one base": deleted(text, quiet(reference, 800)),
        "insertion of three bases": inserted(text, quiet(reference, 2000), "ACT"),
        "G9 to G8": deleted(text, 1001),
        "A30 to A24": deleted(text, 1501, 6),
        "deletion of 45 bases": deleted(text, quiet(reference, 2300), 45),
        "insertion of 777 bases": inserted(text, quiet(reference, 2600), random_dna(777, 77)),
    }


def quiet(reference: Reference, site: int) -> int:
    """The next site from `site` on that lies in no homopolymer, no pair and no masked motif."""
    masked = reference.positions_of("Dam", "Dcm", "IUPAC", "end") | reference.run_sites
    text = reference.sequence
    while masked[site - 2 : site + 3].any() or text[site] in (text[site - 1], text[site + 1]):
        site += 1
    return site


def mixture(wrong: str, right: str, count: int, share: float, seed: int) -> list[Read]:
    """`count` reads, `share` of them of the wrong clone."""
    many = round(share * count)
    return simulate_reads(wrong, many, seed=seed) + simulate_reads(right, count - many, seed=seed + 100_000)
