"""What a whole process costs: starting with a warm cache, compiling a new model, a million trajectories to disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import Progress, silent
from seedtrain.simulation._bench._rows import Row, limited
from seedtrain.simulation._bench._worker import ONE_THREAD

COLD_GOAL_CPU_S: Final = 0.3
COMPILE_GOAL_CPU_S: Final = 8.0
MEMORY_GOAL_GB: Final = 2.0
MILLION: Final = 1_000_000
SAVED: Final = 20


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user and system, children included) and the largest resident memory of one process, GB."""

    cpu: float
    memory: float


# A process counts the memory of the one that it was forked from until it replaced it, so a small one starts it.
_LAUNCH: Final = """
import os, sys
out = int(sys.argv[1])
_, status, used = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
code = os.waitstatus_to_exitcode(status)
os.write(out, f"{code} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024**2}".encode())
"""


def cost_of(command: list[str], *, environment: dict[str, str] | None = None) -> Cost:
    """Run `command` to its end and tell what it cost; its last line of error is the message where it fails."""
    came, out = os.pipe()
    with os.fdopen(came, "rb") as answer, tempfile.TemporaryFile() as log:
        try:
            launch = [sys.executable, "-S", "-E", "-c", _LAUNCH, str(out), *command]
            subprocess.run(  # noqa: S603 - this very Python and a module of ours
                launch,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                pass_fds=(out,),
                check=False,
            )
        finally:
            os.close(out)
        code, cpu, memory = answer.read().decode().split() or ("-1", "0", "0")
        if int(code):
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()
            raise RuntimeError(f"{' '.join(command[:4])} ... failed: {lines[-1] if lines else code}")
    return Cost(float(cpu), float(memory))


def bench_cold(*, repeats: int = 5, progress: Progress = silent) -> list[Row]:
    """A process that starts, takes the compiled fed-batch from the disk and runs it once; and one that compiles it."""
    rows = []
    command = [sys.executable, "-m", "seedtrain.simulation._bench._single"]
    bare = [sys.executable, "-c", "import numpy"]
    with tempfile.TemporaryDirectory() as folder:
        place = {**ONE_THREAD, "SEEDTRAIN_CACHE": folder}
        compiling, with_seeds, warm, python = [], [], [], []
        for repeat in range(max(1, repeats // 2)):
            progress(0.5 * repeat / repeats, "cold: compiling")
            compiling.append(cost_of([*command, f"new {repeat}"], environment=place).cpu)
            with_seeds.append(cost_of([*command, f"newer {repeat}", "seeds"], environment=place).cpu)
        cost_of(command, environment=place)  # compiled for what follows
        for repeat in range(repeats):
            progress(0.5 + 0.5 * repeat / repeats, "cold: starting")
            warm.append(cost_of(command, environment=place).cpu)
            python.append(cost_of(bare, environment=place).cpu)
    words = "cold start, compiled before: whole process with one trajectory"
    rows.append(limited(words, warm, unit="CPU s", goal=COLD_GOAL_CPU_S))
    rows.append(limited("of which Python and numpy alone", python, unit="CPU s", goal=None))
    words = "a new model of seven states: whole process, compiled and one trajectory"
    rows.append(limited(words, compiling, unit="CPU s", goal=COMPILE_GOAL_CPU_S))
    words = "a new model of seven states with sensitivities: the same"
    rows.append(limited(words, with_seeds, unit="CPU s", goal=None))
    return rows


def bench_memory(*, trajectories: int = MILLION, progress: Progress = silent) -> list[Row]:
    """Trajectories with 20 saved outputs each, streamed to a file: the largest resident memory of the process."""
    progress(0.0, "memory")
    folder = Path(tempfile.mkdtemp(prefix="seedtrain-bench-"))
    try:
        path = folder / "ensemble.nc"
        command = [sys.executable, "-m", "seedtrain.simulation._bench._million", str(trajectories), str(path)]
        cost = cost_of(command)
        size = path.stat().st_size / 1e9
    finally:
        shutil.rmtree(folder)
    note = (
        f"{size:.2f} GB on disk, {trajectories / cost.cpu:.0f} trajectories per CPU second, start and writing included"
    )
    words = f"{trajectories} fed-batches with {SAVED} outputs of 7 states, streamed to disk: largest resident memory"
    return [limited(words, [cost.memory], unit="GB", goal=MEMORY_GOAL_GB, note=note)]
