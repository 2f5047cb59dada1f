"""Whole messengers folded by ViennaRNA, in a process of its own: it is not ours to link, and it may be stopped.

**Source** Lorenz et al. 2011, Algorithms Mol Biol 6:26.
"""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from typing import Final, Self

from seedtrain.base import InputError, UnavailableError, Worker

INSTALL: Final = "Install the group of packages for folding: pip install 'seedtrain[folding]'."
DEFAULT_LIMIT: Final = 300.0
"""s for one folding: 5,000 nt take about a minute."""
LONGEST_LIMIT: Final = 86_400.0
WORKER: Final = """
import sys, RNA
for line in sys.stdin:
    structure, energy = RNA.fold(line.strip())
    print(structure, repr(float(energy)), flush=True)
"""


class Vienna:
    """ViennaRNA beside us: one process that folds one stretch after the other.

    - `time_limit`: s that each folding may take; the process is ended beyond it.

    Use it in a `with`, which ends the process. Raises `UnavailableError` where ViennaRNA is not installed, and
    `InputError` for a limit that is none.
    """

    def __init__(self, time_limit: float = DEFAULT_LIMIT, worker: str = WORKER) -> None:
        if not 0 < time_limit <= LONGEST_LIMIT:
            raise InputError(
                f"a time limit of {time_limit:g} s for folding", remedy=f"Give up to {LONGEST_LIMIT:g} s, above 0."
            )
        if find_spec("RNA") is None:
            raise UnavailableError("folding a whole messenger needs ViennaRNA", remedy=INSTALL)
        self._limit = time_limit
        self._worker = Worker(
            [sys.executable, "-c", worker], name="ViennaRNA",
            remedy="Free memory, allow more time (--fold-limit), leave the whole unfolded, or mend the installation. "
            f"{INSTALL}",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._worker.close()

    def fold(self, rna: str) -> tuple[str, float]:
        """Structure in dots and brackets, and least free energy in kcal/mol at 37 degrees Celsius.

        Raises `UnavailableError` where it takes longer than the limit, or the process ends.
        """
        line = self._worker.ask(rna.replace("T", "U"), limit=self._limit, about=f"{len(rna)} nt")
        found = re.fullmatch(r"([.()]+) (-?[0-9.e+-]+)", line)
        if found is None or len(found[1]) != len(rna):
            self._worker.close()
            raise UnavailableError(f"ViennaRNA answered with what is no structure: {line[:60]!r}", remedy=INSTALL)
        return found[1], float(found[2])

    def energy(self, rna: str) -> float:
        """The least free energy alone."""
        return self.fold(rna)[1]
