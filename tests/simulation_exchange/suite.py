"""The semantic cases of the SBML Test Suite against this importer; run by hand, not part of the tests.

    git clone https://github.com/sbmlteam/sbml-test-suite
    python -m tests.simulation_exchange.suite sbml-test-suite/cases/semantic [--every 1] [--integrator plain]

The suite is LGPL and is not copied here. Each case is taken in the highest level and version that it comes in. A case
passes where every value lies within the tolerances of its own settings: |ours - theirs| <= absolute +
relative |theirs|.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np

from seedtrain.base import SeedtrainError
from seedtrain.simulation._exchange._drive import simulate_sbml
from seedtrain.simulation._exchange._read import read_sbml
from seedtrain.simulation._exchange._values import Start


def settings_of(path: Path) -> dict[str, str]:
    """The `key: value` lines of a settings file."""
    pairs = (line.partition(":") for line in path.read_text("utf-8").splitlines())
    return {key.strip(): value.strip() for key, mark, value in pairs if mark}


def names_of(text: str) -> list[str]:
    """A list of names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def judge(folder: Path, integrator: Literal["engine", "plain"]) -> tuple[str, str]:
    """pass, fail or refused, and why."""
    files = sorted(folder.glob("*-sbml-l[23]*.xml"))
    if not files:
        return "refused", "only Level 1"
    settings = settings_of(next(folder.glob("*-settings.txt")))
    if "duration" not in settings or not settings["duration"]:
        return "refused", "no time course"
    try:
        model = read_sbml(files[-1])
        Start(model).point()
    except SeedtrainError as error:
        return "refused", error.parts[0].message
    with next(folder.glob("*-results.csv")).open(encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    head = [name.strip() for name in rows[0]]
    theirs = np.array([[float(cell.strip() or "nan") for cell in row] for row in rows[1:] if row])
    absolute, relative = float(settings["absolute"]), float(settings["relative"])
    try:
        rtol, atol = min(relative * 1e-3, 1e-7), max(min(absolute * 1e-4, 1e-10), 1e-16)
        run = simulate_sbml(model, theirs[:, 0], integrator=integrator, rtol=rtol, atol=atol)
    except SeedtrainError as error:
        return "failed", error.parts[0].message
    amounts, concentrations = names_of(settings.get("amount", "")), names_of(settings.get("concentration", ""))
    for at, name in enumerate(head[1:], start=1):
        if name in amounts and name in run.amounts:
            ours = run.amounts[name]
        elif name in concentrations and name in run.concentrations:
            ours = run.concentrations[name]
        else:
            ours = run[name]
        same = np.isclose(ours, theirs[:, at], rtol=relative, atol=absolute, equal_nan=True)
        if not same.all():
            row = int(np.argmin(same))
            return "wrong", f"{name} at {theirs[row, 0]:g}: {ours[row]:.8g}, should be {theirs[row, at]:.8g}"
    return "pass", ""


def main() -> None:
    """Judge every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--integrator", choices=["plain", "engine"], default="plain")
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    folders = sorted(path for path in options.folder.iterdir() if path.is_dir())
    folders = [path for path in folders if not options.only or path.name in options.only][:: options.every]
    found, refusals = Counter[str](), Counter[str]()
    began = time.process_time()
    for folder in folders:
        verdict, why = judge(folder, options.integrator)
        found[verdict] += 1
        if verdict == "refused":
            refusals[why.partition(": ")[2] or why] += 1
        elif verdict != "pass":
            print(f"{folder.name}  {verdict:6}  {why}", flush=True)
    tried = sum(found.values()) - found["refused"]
    for why, count in refusals.most_common():
        print(f"refused {count:5}  {why}")
    rate = 100 * found["pass"] / tried if tried else math.nan
    print(f"{len(folders)} cases, {found['refused']} refused, {tried} simulated, {found['pass']} pass ({rate:.2f} %)")
    print(f"{time.process_time() - began:.0f} CPU s, integrator {options.integrator}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
