"""Many draws of one question; `python -m tests.bioinformatics_reads.draws` prints the figures of docs/validation.md."""

from __future__ import annotations

import time

import numpy as np

from seedtrain.bioinformatics import ErrorModel, Reference, simulate_reads, verify_clone
from seedtrain.bioinformatics._reads._align import lay_all
from seedtrain.bioinformatics._reads._consensus import build_consensus
from seedtrain.bioinformatics._reads._pile import pile_up

from .made import deleted, inserted, plain, quiet, random_dna, snv

KINDS = ("substitution", "deletion of one base", "insertion of three bases", "deletion of 45 bases", "IS of 777 bases")


def wrong_clone(reference: Reference, kind: str, seed: int) -> str:
    """One difference at a random quiet site."""
    rng = np.random.default_rng([seed, 31])
    site = quiet(reference, int(rng.integers(100, len(reference) - 200)))
    text = reference.sequence
    return {
        "substitution": lambda: snv(text, site),
        "deletion of one base": lambda: deleted(text, site),
        "insertion of three bases": lambda: inserted(text, site, random_dna(3, seed)),
        "deletion of 45 bases": lambda: deleted(text, site, 45),
        "IS of 777 bases": lambda: inserted(text, site, random_dna(777, seed + 500)),
    }[kind]()


def mixtures(draws: int, *, reads: int = 800, share: float = 0.1, seed: int = 1) -> dict[str, list[str]]:
    """The verdict of each draw by kind; kinds take turns."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for draw in range(draws):
        kind = KINDS[draw % len(KINDS)]
        number = seed * 1000 + draw
        reference = plain(3000, seed=number)
        rng = np.random.default_rng([number, 17])
        many = int(rng.binomial(reads, share))
        sample = simulate_reads(wrong_clone(reference, kind, number), many, seed=number)
        sample += simulate_reads(reference.sequence, reads - many, seed=number + 50_000)
        found[kind].append(verify_clone(sample, reference).verdict.verdict)
    return found


def clean(draws: int, *, reads: int = 800, motif_error: float = 0.1, seed: int = 2) -> list[str]:
    """The verdict of each clean sample, with errors at Dam sites of one strand."""
    found: list[str] = []
    for draw in range(draws):
        number = seed * 1000 + draw
        reference = plain(3000, seed=number)
        model = ErrorModel(motif_error=motif_error)
        sample = simulate_reads(reference.sequence, reads, seed=number, model=model)
        found.append(verify_clone(sample, reference).verdict.verdict)
    return found


def consensus_distances(draws: int, reads: int, *, size: int = 7000, seed: int = 3) -> list[int]:
    """Edit distance of the consensus from what was simulated, by an aligner of its own (edlib)."""
    import edlib

    found = []
    for draw in range(draws):
        number = seed * 1000 + draw
        reference = plain(size, seed=number)
        laid = list(lay_all(reference, simulate_reads(reference.sequence, reads, seed=number)))
        made = build_consensus(reference, laid, pile_up(reference, laid), most_reads=reads)
        found.append(int(edlib.align(made.sequence, reference.sequence, task="distance")["editDistance"]))
    return found


def main() -> None:
    start = time.process_time()
    for reads in (10, 15, 30):
        distances = consensus_distances(50, reads)
        print(f"consensus of {reads} reads, 50 draws: {distances.count(0)} exact, worst {max(distances)}", flush=True)
    verdicts = clean(100)
    print("clean, 100 draws:", {word: verdicts.count(word) for word in sorted(set(verdicts))}, flush=True)
    for kind, words in mixtures(100).items():
        print(f"10 % {kind}, {len(words)} draws:", {word: words.count(word) for word in sorted(set(words))}, flush=True)
    print(f"{time.process_time() - start:.0f} CPU s")


if __name__ == "__main__":
    main()
