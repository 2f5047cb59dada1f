"""Many clones by Sanger traces; `python -m tests.bioinformatics_reads.trace_draws` prints the documented figures."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from seedtrain.bioinformatics import simulate_trace, verify_traces

from .draws import wrong_clone
from .made import OTHER, plain, quiet

KINDS = ("substitution", "deletion of one base", "insertion of three bases", "deletion of 45 bases", "IS of 777 bases")


def verdicts(draws: int, kind: str, *, ratio: float = 0.0, seed: int = 4) -> Counter[str]:
    """Verdicts of `draws` circles of 3 kb, each by twelve traces of both strands."""
    found: Counter[str] = Counter()
    for draw in range(draws):
        number = seed * 1000 + draw
        reference = plain(3000, seed=number)
        text = reference.sequence if kind == "none" else wrong_clone(reference, kind, number)
        mixed = None
        if ratio:
            site = quiet(reference, int(np.random.default_rng(number).integers(100, 2800)))
            mixed = {site: (OTHER[reference.sequence[site]], ratio)}
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for index in range(6):
                for turned in (False, True):
                    path = Path(folder) / f"{index}{turned}.ab1"
                    start = (index * 500 + 800 * turned) % len(text)
                    traced = simulate_trace(
                        text, seed=number * 20 + 2 * index + turned, start=start, reverse=turned, mixed=mixed
                    )
                    path.write_bytes(traced)
                    paths.append(path)
            found[verify_traces(paths, reference).verdict.verdict] += 1
    return found


def main() -> None:
    print("clean, 100 draws:", dict(verdicts(100, "none")))
    for kind in KINDS:
        print(f"{kind}, 20 draws:", dict(verdicts(20, kind)))
    for ratio in (0.2, 0.3, 0.4, 0.6):
        print(f"a second peak of {ratio:.0%}, 20 draws:", dict(verdicts(20, "none", ratio=ratio)))


if __name__ == "__main__":
    main()
