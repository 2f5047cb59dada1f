"""BoFire as another way to choose runs: where the user has it, a program of its own in a process of its own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, UnavailableError, Worker
from seedtrain.development._experiments._entry import Experiment
from seedtrain.development._peer_python import peer_environment, peer_python

Floats = NDArray[np.float64]
VARIABLE: Final = "SEEDTRAIN_BOFIRE"
"""Environment variable that names a Python in which BoFire is installed, where it is not in Seedtrain's own."""
REMEDY: Final = (
    'Install it: pip install "seedtrain[bofire]", or "bofire[optimization]" into a Python of its own, and set '
    f"{VARIABLE} to that interpreter."
)
_WORKER: Final = Path(__file__).with_name("_bofire_worker.py")


class Bofire:
    """BoFire's default strategies behind `interpreter`; a context that ends its process.

    `version` is BoFire's; `cpu_s` what all suggestions so far took there, its start not counted.
    """

    def __init__(self, interpreter: str | None = None) -> None:
        self.interpreter = peer_python(interpreter, VARIABLE, "bofire", "BoFire", REMEDY)
        self._worker = Worker(
            [self.interpreter, str(_WORKER)], name="BoFire", remedy=REMEDY,
            environment=peer_environment(self.interpreter),
        )  # fmt: skip
        self.cpu_s = 0.0
        try:
            self.version = str(self._told(self._worker.hear_json())["version"])
        except UnavailableError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Name and version."""
        return f"BoFire {self.version}"

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def suggest(
        self, study: Experiment, x: Floats, y: dict[str, Floats], pending: Floats, count: int, seed: int
    ) -> Floats:
        """The next points, "run, column", as places and numbers of levels; steps are not rounded to."""
        for item in study.responses:
            if item.goal != "none" and item.limited:
                raise InputError(f"{item.name} has a goal and a limit, which BoFire takes as two responses",
                                 remedy="Leave --backend out: Seedtrain's own choice takes both.")  # fmt: skip
        question = {
            "factors": [{"name": item.name, "levels": list(item.levels)} for item in study.ordered],
            "responses": [
                {"name": item.name, "goal": item.goal, "low": _finite(item.low), "high": _finite(item.high)}
                for item in study.responses if item.goal != "none" or item.limited
            ],
            "rows": study.region.rows.tolist(), "bounds": study.region.bounds.tolist(), "x": x.tolist(),
            "y": {name: values.tolist() for name, values in y.items()}, "pending": pending.tolist(),
            "count": count, "seed": seed,
        }  # fmt: skip
        answer = self._told(self._worker.ask_json(question))
        self.cpu_s += float(answer["cpu_s"])
        found = np.array(answer["points"], float)
        assert found.shape == (count, len(study.factors)), "BoFire answered with other columns"
        return found

    @staticmethod
    def _told(answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            raise UnavailableError(f"BoFire: {answer['error']}", remedy=REMEDY)
        return answer


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
