"""Studies with known answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from seedtrain.development import Experiment, ExperimentFactor, Response

MEDIUM = """study: medium
factors:
  temperature: {low: 28 degC, high: 37 degC, step: 0.5 degC}
  feed: {low: 2 mL/h, high: 10 mL/h, scale: log}
  inducer: {levels: [IPTG, lactose]}
responses:
  titre: {unit: g/L, goal: maximise}
  acetate: {unit: g/L, limit: "<= 2 g/L"}
"""


def written(folder: Path, text: str = MEDIUM) -> Path:
    path = folder / "study.yaml"
    path.write_text(text)
    return path


def numbers(values: Mapping[str, float | str]) -> dict[str, float]:
    """Values of factors that are all numbers."""
    return {name: float(value) for name, value in values.items()}


def plain(count: int, *, goal: str = "maximise") -> Experiment:
    """`count` factors from 0 to 1 and one response."""
    factors = tuple(ExperimentFactor(f"x{at + 1}") for at in range(count))
    return Experiment("plain", factors, (Response("y", "", "maximise" if goal == "maximise" else "minimise"),))


A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
P = 1e-4 * np.array(
    [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
)  # fmt: skip


def hartmann(x: np.ndarray) -> float:
    """Hartmann's function of six variables, its largest value 3.32237 (Dixon & Szegö 1978), as a maximum."""
    return float((np.array([1, 1.2, 3, 3.2]) * np.exp(-(A * (x - P) ** 2).sum(1))).sum())
