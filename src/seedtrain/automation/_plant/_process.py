"""The life of the plant's process: from reading its scenario to a signal, or the end of its parent."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable

from seedtrain.automation._plant._settings import PlantSettings
from seedtrain.automation._scenario import Scenario
from seedtrain.base import UnavailableError


def serve(
    scenario: Scenario, settings: PlantSettings, *, ready: Callable[[str], None], until_input_ends: bool = False
) -> None:
    """Serve a scenario until SIGTERM, SIGINT or, if asked for, the end of standard input.

    - `ready`: told the URL once clients can connect.

    Raises `InputError` for settings that make no plant, `UnavailableError` where it cannot listen or asyncua is not
    installed.
    """
    settings.check()
    try:
        from seedtrain.automation._plant._server import PlantServer
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"the virtual plant needs the package {error.name}", remedy="Install it with: pip install seedtrain[plant]"
        ) from None

    async def live() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if until_input_ends:
            await loop.connect_read_pipe(lambda: _Ends(stop), sys.stdin)
        await PlantServer(scenario, settings).run(ready, stop)

    asyncio.run(live())


class _Ends(asyncio.Protocol):
    """Sets an event when a pipe ends."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, _: Exception | None) -> None:
        """The other side is gone."""
        self._stop.set()
