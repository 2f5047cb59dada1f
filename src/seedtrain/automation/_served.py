"""A virtual plant started for one batch, and the connection to it."""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from seedtrain.automation._faults import FaultEntry
from seedtrain.automation._live_scenario import LivePlant
from seedtrain.automation._opcua import OpcUaPlant, Session, browse, draft_mapping, parse_mapping
from seedtrain.automation._scenario import CHANGEOVER_H, Scenario, scenario_of, write_scenario
from seedtrain.automation._security import Security
from seedtrain.automation._speaks import SpeaksEntry
from seedtrain.base import EXIT_BAD_INPUT, Document, InputError, UnavailableError
from seedtrain.recipe import ControlRecipe
from seedtrain.simulation import Run, StepResult

STARTS_S: Final = 180.0
"""s that a plant may take until it can be connected to: the first time, what its tanks run on is compiled."""
ENDS_S: Final = 5.0
LINES: Final = 200
"""Of a plant's standard error that are kept: a traceback, and what came before it."""


class _Words:
    """What a process says on its standard error, read while it runs so that it never waits for a reader; the last."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._stream = process.stderr
        self._lines: deque[str] = deque(maxlen=LINES)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._stream is not None
        for line in self._stream:
            if line.strip():
                self._lines.append(line.strip())

    def all(self) -> list[str]:
        """All that is kept, once the process has ended."""
        self._reader.join(ENDS_S)
        return list(self._lines)


@dataclass(frozen=True)
class PlantProcess:
    """A virtual plant's process and the URL at which it serves."""

    process: subprocess.Popen[str]
    url: str
    words: _Words

    def wait(self) -> int:
        """Wait until it ends; its exit code. Raises `UnavailableError` with its last words where it fails."""
        code = self.process.wait()
        if code != 0:
            said = self.words.all() if code > 0 else [f"killed by signal {-code}"]
            raise UnavailableError(
                f"the virtual plant has ended: {said[-1] if said else f'exit code {code}'}",
                remedy="Start it again; if it ends again, report what it said.",
            )
        return code

    def kill(self) -> None:
        """Kill it with SIGKILL, as a power cut would."""
        self.process.kill()
        self._forget()

    def stop(self) -> None:
        """End it; it ends by itself too when this process does."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._forget()

    def _forget(self) -> None:
        self.process.wait()
        self.words.all()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def start_plant(
    scenario: Path,
    *,
    speed: float | None = None,
    port: int = 0,
    interval: timedelta = timedelta(minutes=6),
    security: Security | None = None,
    state: Path | None = None,
    own_state: bool = False,
    speaks: SpeaksEntry | None = None,
    register_map: Path | None = None,
    clock: datetime | None = None,
) -> PlantProcess:
    """Start a virtual plant in a process of its own, on loopback, and wait until it can be connected to.

    - `speed`: process time over wall time; None is lock-step. `port`: 0 takes a free one.
    - `clock`: where a running clock begins; now, without it.
    - `security`: whom it trusts; without it, everybody on loopback.
    - `state`: a file from which integrated tanks go on after a kill; without it they start empty. `own_state`: one of
      another scenario is refused, else it counts as none and is overwritten.
    - `speaks`: what it speaks beside OPC UA. `register_map`: where the map of its Modbus registers is written.

    Raises `InputError` for a scenario, speed or interval that makes no plant, `UnavailableError` with what it said
    where it does not come up.
    """
    command = [sys.executable, "-m", "seedtrain.automation._plant", str(scenario), "--while-input"]
    command += ["--port", str(port), "--interval", str(interval.total_seconds())]
    command += [] if speed is None else ["--speed", str(speed)]
    command += [] if clock is None else ["--clock", clock.isoformat()]
    command += [] if security is None else security.arguments()
    command += [] if state is None else ["--state", str(state)]
    command += ["--own-state"] if own_state else []
    command += [] if speaks is None else ["--speaks", speaks.model_dump_json()]
    command += [] if register_map is None else ["--register-map", str(register_map)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    words = _Words(process)
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], STARTS_S)
    url = process.stdout.readline().strip() if readable else ""
    plant = PlantProcess(process, url, words)
    if not url.startswith("opc.tcp://"):
        raise _failed(plant)
    return plant


def _failed(plant: PlantProcess) -> InputError | UnavailableError:
    """Why a plant did not come up, in its own words."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        plant.process.wait(ENDS_S)
    plant.process.kill()
    code = plant.process.wait()
    said = plant.words.all()
    plant.stop()
    at = next((index for index, line in enumerate(said) if line.startswith("remedy: ")), None)
    remedy = "" if at is None else said[at].removeprefix("remedy: ")
    message = said[at - 1] if at else said[0] if said else "it said nothing"  # libraries have words of their own before
    if code == EXIT_BAD_INPUT:
        return InputError(message, remedy=remedy)
    words = said[-1] if code == 1 else message  # the last line of a traceback names the fault
    return UnavailableError(
        f"the virtual plant did not start: {words}",
        remedy=remedy or "Start it by hand: seedtrain plant start --help",
    )


def connect(url: str, control: ControlRecipe | None = None, *, owner: str = "seedtrain") -> OpcUaPlant:
    """Connect to a plant whose names tell everything, as those of the virtual plant do."""
    session = Session(url)
    try:
        text = draft_mapping(browse(session), url)
    finally:
        session.close()
    return OpcUaPlant(parse_mapping(text, f"mapping of {url}"), control, owner=owner)


@contextlib.contextmanager
def served_plant(
    control: ControlRecipe,
    *,
    production: Run,
    seeds: Sequence[Run] = (),
    steps: Sequence[StepResult] = (),
    faults: Sequence[FaultEntry] = (),
    units: Collection[str] = (),
    document: Document | None = None,
    seed: int = 0,
    changeover: float = CHANGEOVER_H,
    live: LivePlant | None = None,
    state: Path | None = None,
) -> Iterator[OpcUaPlant]:
    """A virtual plant for one batch, in a process of its own and in lock-step, driven over OPC UA.

    - `production`, `seeds`: runs of the production vessel and of the seed vessels; `steps`: the downstream train.
    - `faults`: what goes wrong on purpose; `units`: every unit of the plant, so that a fault of one that does not run
      here is no error; `document`: the plant's file, for positions.
    - `seed`: of all noise. `changeover`: h between two unit procedures.
    - `live`: culture and vessels; stirred tanks are then integrated while they are driven, the rest is played back.
    - `state`: as for `start_plant`.

    Raises `InputErrors` for faults that name nothing real, and for a recipe that asks for values which the simulation
    does not have; `UnavailableError` where the plant does not come up, or the group `plant` is not installed.
    """
    scenario: Scenario = scenario_of(
        control,
        production=production,
        seeds=seeds,
        steps=steps,
        faults=faults,
        units=units,
        document=document,
        seed=seed,
        changeover=changeover,
        live=live,
    )
    with tempfile.TemporaryDirectory(prefix="seedtrain-plant-") as folder:
        path = Path(folder) / "scenario.json"
        write_scenario(path, scenario)
        server = start_plant(path, state=state)
        try:
            with connect(server.url, control) as plant:
                yield plant
        finally:
            server.stop()
