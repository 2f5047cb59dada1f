"""pyPESTO with AMICI and fides on a PEtab problem, in a Python of its own: AMICI needs a compiler."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seedtrain.base import UnavailableError
from seedtrain.development._peer_python import ONE_THREAD, peer_environment, peer_python

LONGEST: Final = 3600
VARIABLE: Final = "SEEDTRAIN_AMICI"
"""Environment variable that names a Python in which pyPESTO, AMICI and fides are installed."""
REMEDY: Final = (
    "Install amici (it needs a C++ compiler), pypesto[petab] and fides into a Python of its own, and name it with "
    f"--peer-python or {VARIABLE}."
)
_WORKER: Final = Path(__file__).with_name("_peer_worker.py")
_FIRST: Final = "seedtrain.development._fit_bench._first"


@dataclass(frozen=True)
class Peer:
    """Where its starts ended and CPU s, of them and until its first value; nothing, and why, where it is not there."""

    ends: list[float] | None
    spent: float | None
    made: float | None
    version: str | None
    fault: str = ""


def run_peer(problem: Path, starts: int, seed: int, python: str | None) -> Peer:
    """The peer on the PEtab problem at a path."""
    try:
        interpreter = peer_python(python, VARIABLE, "amici", "pyPESTO with AMICI", REMEDY)
        with tempfile.TemporaryDirectory() as folder:
            words = [interpreter, str(_WORKER), str(problem), folder, str(starts), str(seed)]
            told = _told(words, peer_environment(interpreter))
    except UnavailableError as error:
        return Peer(None, None, None, None, error.in_one_line)
    return Peer([float(item) for item in told["ends"]], float(told["spent"]), float(told["made"]), str(told["version"]))


def first_value(problem: Path) -> float:
    """CPU s of a process of ours that finds nothing in its cache until it has the objective and its derivatives."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", _FIRST, str(problem)]
        told = _told(words, {**peer_environment(sys.executable), **ONE_THREAD, "SEEDTRAIN_CACHE": folder})
    return float(told["made"])


def _told(words: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """The last line of what a worker prints; `UnavailableError` with the last line of its complaint if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - the user names the interpreter
            words, capture_output=True, text=True, check=False, timeout=LONGEST, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{words[0]}: {error}", remedy=REMEDY) from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        raise UnavailableError(f"{words[0]}: {last}", remedy=REMEDY)
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told
