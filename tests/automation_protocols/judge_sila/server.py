# mypy: ignore-errors
# It runs in an environment of its own, which has unitelabs-cdk.
"""A SiLA 2 server made with unitelabs-cdk, which nobody here wrote: a small thermostat for our client's tests.

Arguments: port, and for TLS the files of its certificate and key, or `lock`: then it has the core feature
LockController, which protects the whole thermostat. It prints a line once it serves, and ends when its
standard input does.
"""

import asyncio
import dataclasses
import datetime
import logging
import sys
import typing

from unitelabs.cdk import Connector, ConnectorBaseConfig, SiLAServerConfig, sila

logging.disable(logging.CRITICAL)
Celsius = typing.Annotated[
    float,
    sila.constraints.Unit(label="degC", components=[sila.constraints.UnitComponent("Kelvin")], factor=1, offset=273.15),
    sila.constraints.MinimalInclusive(4.0),
    sila.constraints.MaximalInclusive(95.0),
]


class TooHot(Exception):
    """The block is too hot to be opened."""


@dataclasses.dataclass
class Span(sila.CustomDataType):
    """Two temperatures.

    Attributes:
      Lowest: The lower one.
      Highest: The higher one.
    """

    lowest: float
    highest: float


class Thermostat(sila.Feature):
    """Keeps a block at a temperature."""

    def __init__(self):
        super().__init__(originator="org.example", category="tests", version="1.0")
        self.temperature = 21.5

    @sila.UnobservableProperty()
    async def get_serial_number(self) -> str:
        """The serial number."""
        return "T-17"

    @sila.UnobservableProperty()
    async def get_current_temperature(self) -> Celsius:
        """The temperature of the block."""
        return self.temperature

    @sila.ObservableProperty()
    async def subscribe_cycles(self) -> sila.Stream[int]:
        """Counts up to five, then waits."""
        for number in range(6):
            yield number
            await asyncio.sleep(0.01)
        await asyncio.sleep(60)

    @sila.UnobservableProperty()
    async def get_program(self) -> list[str]:
        """Steps of the program."""
        return ["denature", "anneal", "extend"]

    @sila.UnobservableProperty()
    async def get_span(self) -> Span:
        """What it has reached so far."""
        return Span(lowest=4.0, highest=95.0)

    @sila.UnobservableCommand()
    async def set_temperature(self, target: Celsius) -> None:
        """
        Set the temperature at once.

        Args:
          Target: What is wanted.
        """
        self.temperature = target

    @sila.UnobservableCommand(errors=[TooHot])
    async def open_lid(self, force: bool) -> str:
        """
        Open the lid.

        Args:
          Force: Whether to open it when it is hot.

        Returns:
          Words: What it did.

        Raises:
          TooHot: Above 60 degC.
        """
        if self.temperature > 60 and not force:
            raise TooHot(f"the block is at {self.temperature:g} degC")
        return "open"

    @sila.ObservableCommand()
    async def ramp(self, target: Celsius, steps: int, *, status: sila.Status) -> tuple[float, int]:
        """
        Ramp to a temperature.

        Args:
          Target: Where to.
          Steps: In how many steps.

        Returns:
          Reached: Where it is then.
          Taken: Steps that it took.
        """
        start = self.temperature
        for number in range(1, steps + 1):
            await asyncio.sleep(0.02)
            self.temperature = start + (target - start) * number / steps
            status.update(progress=number / steps)
        return self.temperature, steps

    @sila.UnobservableCommand()
    async def fail(self) -> None:
        """Fail in a way that the feature does not define."""
        raise RuntimeError("the heater is broken")


def lockable():
    """The core feature LockController of unitelabs-cdk, which protects the thermostat."""
    from unitelabs.cdk.features.core import lock_controller as core

    async def intercept(self, context) -> None:
        """What its own does, which 0.17.1 calls with a context that it does not take."""
        lock = self.feature.lock
        if lock is None or lock.identifier != self.lock_identifier:
            raise core.InvalidLockIdentifier
        lock.last_usage = datetime.datetime.now()

    core.LockIdentifier._affects = {"org.example/tests/Thermostat/v1"}
    core.LockIdentifier.intercept = intercept
    return core.LockController()


async def main() -> None:
    port, *files = sys.argv[1:]
    locks = files == ["lock"]
    files = [] if locks else files
    tls = {"tls": True, "certificate_chain": files[0], "private_key": files[1]} if files else {"tls": False}
    config = ConnectorBaseConfig(
        sila_server=SiLAServerConfig(
            hostname="127.0.0.1",
            port=int(port),
            name="Judge",
            type="Thermostat",
            vendor_url="https://example.org",
            **tls,
        ),
        discovery=None,
    )
    app = Connector(config)
    app.register(Thermostat())
    if locks:
        app.register(lockable())
    await app.start()
    await app.wait_for_ready()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await app.stop()


asyncio.run(main())
