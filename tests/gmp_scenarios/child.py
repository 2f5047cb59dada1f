"""Processes that run commands and may be killed at any point: what they said was done before is what was acknowledged.

`python -m tests.gmp_scenarios.child` reads one order a line (JSON) and answers with one line. An order's rounds run in
processes forked from this one, which has everything imported, so that five hundred of them take minutes and not hours.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gmp_scenarios.journey import Journey

STAGES = ("begun", "written", "committed", "half an anchor", "anchored")
ROOT = Path(__file__).parents[2]


@dataclass
class Order:
    """One person's commands in one process.

    - `stage`, `at`: where to die by kill -9: at the `at`-th commit, at one of `STAGES`. `after_s`: or at this time.
    - `largest_file_bytes`: no file can grow beyond it, as on a full disk. `bound`: permissions bind, even root.
    """

    folder: str
    actor: str
    password: str
    commands: list[list[str]]
    stage: str = ""
    at: int = 1
    after_s: float | None = None
    largest_file_bytes: int | None = None
    bound: bool = False


@dataclass
class Ended:
    """Exit code and document of each command that ended, and how the process did (-9: it was killed)."""

    answers: list[list[Any]] = field(default_factory=list)
    status: int = 0

    @property
    def codes(self) -> list[int]:
        return [code for code, _ in self.answers]


class Children:
    """Runs orders, several at once if wanted."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, *orders: Order) -> list[Ended]:
        """All of them at the same time."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([vars(order) for order in orders]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process that forks has died"
        return [Ended(**item) for item in json.loads(line)]


@contextmanager
def children():
    """A process that is ready to fork."""
    command = [sys.executable, "-m", "tests.gmp_scenarios.child"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield Children(process)
    finally:
        process.kill()
        process.communicate()


def _serve() -> None:
    warm = False
    for line in sys.stdin:
        orders = [Order(**item) for item in json.loads(line)]
        if not warm:
            Journey(Path(orders[0].folder)).run("lot", "list")
            warm = True
        running = [(order, *_begin(order)) for order in orders]
        print(json.dumps([vars(_ended(*item)) for item in running]), flush=True)


def _begin(order: Order) -> tuple[int, Path, float]:
    told = Path(order.folder) / f".told-{order.actor}"
    told.unlink(missing_ok=True)
    told.touch()
    pid = os.fork()
    if pid == 0:
        try:
            _obey(order, told)
        finally:
            os._exit(0)
    return pid, told, time.monotonic()


def _ended(order: Order, pid: int, told: Path, begun: float) -> Ended:
    if order.after_s is not None:
        time.sleep(max(0.0, begun + order.after_s - time.monotonic()))
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    whole = told.read_text().rpartition("\n")[0]
    told.unlink()
    return Ended([json.loads(line) for line in whole.splitlines()], status)


def _obey(order: Order, told: Path) -> None:
    handle = os.open(told, os.O_WRONLY | os.O_APPEND)
    journey = Journey(Path(order.folder), passwords={order.actor: order.password})
    if order.bound:
        _be_bound()
    if order.stage:
        _die_at(order.stage, order.at)
    if order.largest_file_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest_file_bytes, resource.RLIM_INFINITY))
    for words in order.commands:
        answer = journey.run(*words) if words[1] == "list" else journey.signed(order.actor, *words)
        # A pipe would do as well, but a full disk must not keep us from telling: the limit is lifted for this line.
        if order.largest_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.write(handle, (json.dumps([answer.code, answer.data]) + "\n").encode())
        if order.largest_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest_file_bytes, resource.RLIM_INFINITY))


def _die_at(stage: str, at: int) -> None:
    from seedtrain.record._anchors import AnchorFile
    from seedtrain.record._store import SqliteStore

    left = [at]
    add, write = SqliteStore.add, AnchorFile._write_lines

    def due(here: str) -> bool:
        left[0] -= here == stage
        return here == stage and left[0] == 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dying_add(self: Any, *given: Any) -> None:
        if due("begun"):
            die()
        add(self, *given)
        if due("written"):
            die()

    def dying_write(self: Any, lines: Any) -> None:
        entries: list[bytes] = list(lines)
        if entries and due("committed"):
            die()
        if entries and due("half an anchor"):
            assert self._handle is not None
            os.write(self._handle, entries[0][: len(entries[0]) // 2])
            die()
        write(self, entries)
        if entries and due("anchored"):
            die()

    SqliteStore.add, AnchorFile._write_lines = dying_add, dying_write  # type: ignore[method-assign, assignment]


def _be_bound() -> None:
    """Give up root's right to write what its permissions forbid."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    assert libc.capget(head, data) == 0
    for place in (0, 1):  # effective and permitted
        data[place] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(head, data) == 0


if __name__ == "__main__":
    _serve()
