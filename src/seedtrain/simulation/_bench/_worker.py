"""A process of its own for each one that is compared, and the side that drives it.

The driver sends one JSON line at a time and gets one back: `count` runs so many draws and answers in CPU seconds of
this process (user and system, all threads); `save` writes the results of the first draws to a file. Interleaving and
repeats are the driver's.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np

from seedtrain.simulation._bench import _problem as problem
from seedtrain.simulation._bench._peers import Peer
from seedtrain.simulation._bench._problem import Floats

LIBRARIES: Final = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR", "VECLIB_MAXIMUM")
ONE_THREAD: Final = {f"{name}_{'THREADS' if name.endswith('MAXIMUM') else 'NUM_THREADS'}": "1" for name in LIBRARIES}
"""One thread for everybody: what is reported is work per CPU second, where more threads only add to the noise."""


def installed(peer: Peer) -> str | None:
    """The version of a peer's package; None where it is not installed."""
    if find_spec(peer.module) is None:
        return None
    try:
        return version(peer.package)
    except PackageNotFoundError:
        return None


LONGEST_S: Final = 900.0
"""How long a peer may take to be built, or for one repeat, before it is ended; AMICI compiles for some minutes."""


class WorkerError(Exception):
    """A peer that broke; the message is its last line."""


class Worker:
    """One peer in a process of its own, built and warm once this returns; `setup` is what that took, CPU s."""

    def __init__(self, group: str, name: str, *, seconds: float = LONGEST_S) -> None:
        command = [sys.executable, "-m", "seedtrain.simulation._bench._worker", group, name]
        # Messages of the peers go to a file, so that no pipe fills up and blocks them.
        self._log = _scratch()
        self._process = subprocess.Popen(  # noqa: S603 - this very Python and a module of ours
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **ONE_THREAD},
        )
        self.name, self._seconds = name, seconds
        try:
            self.setup = float(self._answer()["setup"])
        except BaseException:
            self.close()
            raise

    def run(self, count: int) -> float:
        """CPU seconds that the first `count` draws take."""
        return float(self._ask({"count": count})["cpu"])

    def results(self, count: int) -> Floats:
        """What it finds for the first `count` draws."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "found.npy"
            self._ask({"count": count, "save": str(path)})
            return np.asarray(np.load(path))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerError(self._last_words()) from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        late = threading.Timer(self._seconds, self._process.kill)
        late.start()
        line = self._process.stdout.readline()
        timely = late.is_alive()
        late.cancel()
        if not line:
            raise WorkerError(self._last_words() if timely else f"no answer within {self._seconds:g} s")
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise WorkerError(str(found["error"]))
        return found

    def _last_words(self) -> str:
        self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with code {self._process.returncode}"


def _scratch() -> Any:
    import tempfile

    return tempfile.TemporaryFile()


def cpu_seconds() -> float:
    """User and system time of this process and of the children that it has waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def _serve(group: str, name: str) -> None:
    """The worker's side: build, run one draw, then answer until the driver is gone."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a peer prints must not stand between the answers

    def say(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    from seedtrain.simulation._bench import _ours, _peers

    everyone = {
        "ensemble": (*_ours.ENSEMBLE, *_peers.ENSEMBLE),
        "sensitivities": (*_ours.SENSITIVITIES, *_peers.SENSITIVITIES),
    }
    before = cpu_seconds()  # what this package and numpy take to load is nobody's
    run = next(peer.build for peer in everyone[group] if peer.name == name)()
    run(problem.draws(2))
    say({"setup": cpu_seconds() - before})
    for line in sys.stdin:
        question = json.loads(line)
        numbers = problem.draws(int(question["count"]))
        before, wall = cpu_seconds(), time.perf_counter()
        try:
            found = run(numbers)
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way, and is reported
            say({"error": f"{type(error).__name__}: {error}"[:300]})
            continue
        answer = {"cpu": cpu_seconds() - before, "wall": time.perf_counter() - wall}
        if "save" in question:
            np.save(question["save"], found)
        say(answer)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
