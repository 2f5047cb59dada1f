"""Run CADET on one problem: JSON on standard input, JSON on standard output.

This file runs under another Python (3.12 or newer) in which `cadet-core` and `h5py` are installed; it imports nothing
of Seedtrain. CADET is GPL-3 and stays a program of its own.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from typing import Any


def write(group: Any, tree: dict[str, Any], numpy: Any) -> None:
    """A nested dictionary as HDF5 groups and data sets."""
    for name, value in tree.items():
        if isinstance(value, dict):
            write(group.create_group(name), value, numpy)
        elif isinstance(value, str):
            group[name] = numpy.bytes_(value)
        elif isinstance(value, list):
            group[name] = numpy.array(value, dtype=float if any(isinstance(x, float) for x in value) else int)
        else:
            group[name] = value


def program() -> str | None:
    """The command-line program beside this interpreter, else on the path."""
    beside = os.path.join(os.path.dirname(sys.executable), "cadet-cli")
    return beside if os.path.exists(beside) else shutil.which("cadet-cli")


def spent() -> float:
    """CPU seconds of finished children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> dict[str, Any]:
    """Read the problem, run it, answer with the outlet or with what was wrong."""
    try:
        import h5py  # type: ignore[import-not-found, unused-ignore]
        import numpy
    except ImportError as error:
        return {"error": f"{sys.executable} cannot import {error.name}"}
    found = program()
    if found is None:
        return {"error": f"no cadet-cli beside {sys.executable} or on the path"}
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout.strip()  # noqa: S603
    asked = json.load(sys.stdin)
    if asked.get("only_version"):
        return {"version": version}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "problem.h5")
        with h5py.File(path, "w") as file:
            write(file, {"input": asked["input"]}, numpy)
        before = spent()
        alone = {**os.environ, "OMP_NUM_THREADS": "1"}
        run = subprocess.run([found, path], capture_output=True, text=True, env=alone)  # noqa: S603
        cpu = spent() - before
        if run.returncode:
            return {"error": (run.stderr or run.stdout)[-1500:], "version": version}
        with h5py.File(path) as file:
            unit = file["output/solution/unit_000"]
            if "SOLUTION_OUTLET" in unit:
                outlet = unit["SOLUTION_OUTLET"][()]
            else:
                outlet = numpy.stack([unit[name][()] for name in sorted(unit) if "OUTLET" in name], axis=-1)
            outlet = outlet.reshape(len(file["output/solution/SOLUTION_TIMES"][()]), -1)
    return {"outlet": outlet.tolist(), "cpu_s": cpu, "version": version}


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
