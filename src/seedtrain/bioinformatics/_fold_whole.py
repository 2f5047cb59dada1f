"""Whole messengers folded by ViennaRNA, in a process of its own: it is not ours to link, and it may be stopped.

**Source** Lorenz et al. 2011, Algorithms Mol Biol 6:26.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from importlib.util import find_spec
from typing import IO, Final, Self

from seedtrain.base import InputError, UnavailableError

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
        self._worker = worker
        self._process: subprocess.Popen[str] | None = None
        self._said: IO[bytes] | None = None
        self._reader = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(  # noqa: S603  this interpreter and our own lines
            [sys.executable, "-c", self._worker],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="ascii",
        )
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process is not None
        assert self._said is not None
        self._process.kill()
        self._process.wait()
        self._reader.shutdown()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None:
                stream.close()

    def fold(self, rna: str) -> tuple[str, float]:
        """Structure in dots and brackets, and least free energy in kcal/mol at 37 degrees Celsius.

        Raises `UnavailableError` where it takes longer than the limit, or the process ends.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(rna.replace("T", "U") + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._ended(rna) from None
        try:
            answer = self._reader.submit(self._process.stdout.readline).result(self._limit).split()
        except TookTooLong:
            self._process.kill()
            raise UnavailableError(
                f"ViennaRNA did not fold {len(rna)} nt in {self._limit:g} s",
                remedy="Allow it more time (--fold-limit), or leave the whole unfolded.",
            ) from None
        if len(answer) != 2:
            raise self._ended(rna)
        return answer[0], float(answer[1])

    def energy(self, rna: str) -> float:
        """The least free energy alone."""
        return self.fold(rna)[1]

    def _ended(self, rna: str) -> UnavailableError:
        """The process is gone: what it said last."""
        assert self._process is not None
        assert self._said is not None
        code = self._process.wait()
        self._said.seek(0)
        last = self._said.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        words = f"ViennaRNA ended with code {code} at {len(rna)} nt" + "".join(f": {line[:200]}" for line in last)
        return UnavailableError(words, remedy=f"Free memory, or mend the installation. {INSTALL}")
