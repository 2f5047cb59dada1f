"""How the virtual plant is served."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from seedtrain.automation._lads import DEFAULT_PORT
from seedtrain.automation._security import Security
from seedtrain.automation._speaks import SpeaksEntry
from seedtrain.base import InputError

LAST_PORT: Final = 65_535
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class PlantSettings:
    """How the plant is served.

    - `speed`: process time over wall time; None is lock-step, in which the clock moves when a client says so.
    - `start`: the process clock at the start, now if None. In lock-step it follows the first client.
    - `interval`: of process time between two values of a function.
    - `host`: loopback unless said. `port`: 0 takes a free one.
    - `security`: whom it trusts; without it, everybody on loopback.
    - `state`: a file from which integrated tanks go on after a kill; without it they start empty. `own_state`: one of
      another scenario is refused, else it counts as none and is overwritten.
    - `speaks`: what it speaks beside OPC UA. `register_map`: where the map of its Modbus registers is written.
    """

    speed: float | None = None
    start: datetime | None = None
    interval: timedelta = timedelta(minutes=6)
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    security: Security | None = None
    state: Path | None = None
    own_state: bool = False
    speaks: SpeaksEntry | None = None
    register_map: Path | None = None

    def check(self) -> None:
        """Refuse what makes no plant."""
        if self.speed is not None and not 0 < self.speed <= 1e6:
            raise InputError(
                f"a clock at speed {self.speed:g} does not run", remedy="Give a speed above 0, at most 1e6, or none."
            )
        if self.interval <= timedelta(0):
            raise InputError(f"an interval of {self.interval} is none", remedy="Give a positive time.")
        if not 0 <= self.port <= LAST_PORT:
            raise InputError(
                f"there is no port {self.port}", remedy=f"Give one from 1 to {LAST_PORT}, or 0 for a free one."
            )
        if self.security is not None:
            self.security.check()
        elif self.host not in LOOPBACK:
            raise InputError(
                f"this plant is open to everybody who reaches it, so it does not listen on {self.host}",
                remedy="Listen on 127.0.0.1, or give it a certificate and those that it trusts.",
            )
