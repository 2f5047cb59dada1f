"""The solver's own process, asked over pipes: a library of OR-Tools and one of highspy have one name.

Whichever of the two a process loads second fails to load, so that OR-Tools never is loaded into this one.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from threading import Lock
from typing import Any, Final

from seedtrain.base import InputError, UnavailableError
from seedtrain.development._costing._gantt_plan import REMEDY, Gantt
from seedtrain.development._costing._timetable import Slot, Task

WORKER: Final = "seedtrain.development._costing._gantt_worker"


def placed_elsewhere(
    tasks: Sequence[Task], units: Mapping[str, int], batches: int, crew: float | None, seconds: float
) -> Gantt:
    """The schedule that the solver's process finds.

    Raises what it refuses; `UnavailableError` where OR-Tools is not installed or the process ends before it answers.
    """
    if find_spec("ortools") is None:
        raise UnavailableError("placing batches one by one needs OR-Tools, which is not installed", remedy=REMEDY)
    question = {
        "tasks": [vars(task) for task in tasks], "units": dict(units), "batches": batches, "crew": crew,
        "seconds": seconds,
    }  # fmt: skip
    answer = _SOLVER.ask(question)
    if "error" in answer:
        kind = UnavailableError if answer["unavailable"] else InputError
        raise kind(answer["error"], remedy=answer["remedy"])
    told = answer["gantt"]
    return Gantt(**{**told, "slots": tuple(Slot(**slot) for slot in told["slots"])})


class Solver:
    """The process: started when it is first asked, kept for what follows, and started anew after it ended."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one question; `UnavailableError` where the process ends instead."""
        with self._lock:
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps(question) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except BrokenPipeError:
                line = ""
            except BaseException:  # interrupted: what is being solved is of no use to the next question
                self._end()
                raise
            if not line:
                raise UnavailableError(
                    f"the solver's process ended before it answered (exit code {self._end()})",
                    remedy="Ask again, with fewer batches if memory is short; the equal intervals need no solver.",
                )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True, encoding="utf-8", start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )  # fmt: skip
        return self._process

    def _end(self) -> int:
        """Its exit code, negative for a signal."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        if process.poll() is None:
            process.kill()
        code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return code


_SOLVER: Final = Solver()
atexit.register(_SOLVER.close)
