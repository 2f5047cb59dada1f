"""The virtual plant's process: `python -m seedtrain.automation._plant scenario.json`.

It prints its URL on one line once clients can connect. With `--while-input` it ends when its standard input does, so
that it never outlives the process that started it.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from pathlib import Path


def main() -> int:
    """Serve a scenario until told to stop."""
    parser = argparse.ArgumentParser(description="Serve a virtual plant over OPC UA.")
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--speed", type=float, help="process time over wall time; without it the clock is lock-step")
    parser.add_argument("--clock", type=datetime.fromisoformat, help="where a running clock begins; now, without it")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--interval", type=float, default=360.0, help="s of process time between two values")
    parser.add_argument("--certificate", type=Path, help="its own; then clients must be trusted, and encrypt")
    parser.add_argument("--private-key", type=Path)
    parser.add_argument("--trust", type=Path, action="append", default=[], help="certificate of a client")
    parser.add_argument("--user", default="", help="who may connect; the password: SEEDTRAIN_OPCUA_PASSWORD")
    parser.add_argument("--state", type=Path, help="file from which integrated tanks go on after a kill")
    parser.add_argument("--own-state", action="store_true", help="refuse a state of another scenario")
    parser.add_argument("--speaks", default="{}", help="what is spoken beside OPC UA, as JSON")
    parser.add_argument("--register-map", type=Path, help="where to write the map of the Modbus registers")
    parser.add_argument("--while-input", action="store_true")
    given = parser.parse_args()
    from seedtrain.automation._plant import PlantSettings, serve
    from seedtrain.automation._scenario import read_scenario
    from seedtrain.automation._security import Security
    from seedtrain.automation._speaks import SpeaksEntry
    from seedtrain.base import SeedtrainError

    security = None
    if given.certificate and given.private_key:
        security = Security(given.certificate, given.private_key, tuple(given.trust), given.user)
    settings = PlantSettings(
        speed=given.speed,
        start=given.clock,
        interval=timedelta(seconds=given.interval),
        port=given.port,
        security=security,
        state=given.state,
        own_state=given.own_state,
        speaks=SpeaksEntry.model_validate_json(given.speaks),
        register_map=given.register_map,
    )
    try:
        serve(
            read_scenario(given.scenario),
            settings,
            ready=lambda url: print(url, flush=True),
            until_input_ends=given.while_input,
        )
    except SeedtrainError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
