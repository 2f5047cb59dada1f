"""pyPESTO with AMICI and fides on a PEtab problem, in a Python of its own: AMICI builds for minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LONGEST: Final = 3600
SCRIPT: Final = """
import json, os, sys
from importlib.metadata import version
import pypesto.optimize, pypesto.petab
path, folder, starts = sys.argv[1], sys.argv[2], int(sys.argv[3])
importer = pypesto.petab.PetabImporter.from_yaml(path, output_folder=folder, model_name="boehm_bench")
problem = importer.create_problem()
problem.objective((problem.lb + problem.ub) / 2, sensi_orders=(0, 1))
def spent():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
began = spent()
fides = pypesto.optimize.FidesOptimizer()
result = pypesto.optimize.minimize(problem, optimizer=fides, n_starts=starts, progress_bar=False)
names = ("pypesto", "amici", "fides")
print(json.dumps({"ends": [float(item) for item in result.optimize_result.fval], "spent": spent() - began,
                  "version": ", ".join(f"{name} {version(name)}" for name in names)}))
"""


@dataclass(frozen=True)
class Peer:
    """Where its starts ended and the CPU s that they took; nothing, and why, where it is not to be had."""

    ends: list[float] | None
    spent: float | None
    version: str | None
    fault: str = ""


def run_peer(problem: Path, starts: int, python: str | None) -> Peer:
    """The peer on the PEtab problem at a path."""
    interpreter = python or os.environ.get("SEEDTRAIN_AMICI") or sys.executable
    with tempfile.TemporaryDirectory() as folder:
        words = [interpreter, "-c", SCRIPT, str(problem), folder, str(starts)]
        try:
            done = subprocess.run(  # noqa: S603 - the user names the interpreter
                words, capture_output=True, text=True, check=False, timeout=LONGEST
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Peer(None, None, None, f"{interpreter}: {error}")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        return Peer(None, None, None, f"not measured ({last}); give a Python that has pypesto[amici,petab] and fides")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Peer([float(item) for item in told["ends"]], float(told["spent"]), str(told["version"]))
