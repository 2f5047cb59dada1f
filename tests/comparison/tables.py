"""Tables of made-up runs (they say `simulated`) at two scales, and their mappings."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

HOURS = np.linspace(0, 10, 11)


def titre(rng: np.random.Generator, *, slope: float = 0.4, end: float = 4.0) -> np.ndarray:
    """A straight titre that ends at `end` g/L with `slope` g/L/h, and scatters from run to run."""
    found: np.ndarray = end + slope * (HOURS - HOURS[-1]) + rng.normal(0, 0.08) + rng.normal(0, 0.03, len(HOURS))
    return found


def written(
    folder: Path, name: str, scale: str, count: int, of: Callable[[np.random.Generator], np.ndarray], seed: int
) -> Path:
    """A mapping with `count` runs of product `P` at `scale`, and their table beside it."""
    rng = np.random.default_rng(seed)
    with (folder / f"{name}.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["run", "time [h]", "product [g/L]"])
        for run in range(count):
            rows.writerows([f"{name}{run + 1}", f"{t:g}", f"{p:.5f}"] for t, p in zip(HOURS, of(rng), strict=True))
    runs = "\n".join(f"  {name}{run + 1}: {{scale: {scale}}}" for run in range(count))
    text = f"""data: {name}
origin: simulated
tables:
  - file: {name}.csv
    run: run
    time: {{column: "time [h]", unit: h}}
    columns: [{{column: "product [g/L]", symbol: P, unit: g/L}}]
runs:
{runs}
"""
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


PLAN = """comparison: bench against pilot
by: scale
reference: bench
level: 90 %
numbers:
  - {symbol: P, take: end, margin: 10 %}
  - {symbol: P, take: slope, from: 2 h, to: 10 h, margin: 15 %}
profiles:
  - {symbol: P, margin: 0.5 g/L}
"""
