"""What a virtual plant speaks beside OPC UA, as `plant.yaml` says it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.automation._protocols import Access, parse_address
from seedtrain.base import InputError

EDGE: Final = "seedtrain"
MODBUS_PORT: Final = 1502
"""Above the ports that only root may open; Modbus has 502."""


def _broker(text: object) -> object:
    try:
        found = parse_address(str(text), schemes=("mqtt", "mqtts"))
    except InputError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None
    if found.path:
        raise ValueError(f"{text!r} has a path | Write group and edge beside it, as keys of their own.")
    return text


class SparkplugEntry(BaseModel):
    """The plant as an edge node of Sparkplug B: each unit is a device. `user`: its password is in the environment.

    - `authority`: certificate of the broker or of who issued it, for `mqtts`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    broker: Annotated[str, BeforeValidator(_broker)]
    group: str = Field(min_length=1, pattern=r"^[^+#/]+$")
    edge: str = Field(default=EDGE, min_length=1, pattern=r"^[^+#/]+$")
    user: str = ""
    authority: str = ""


class ModbusEntry(BaseModel):
    """The plant as a Modbus TCP server on loopback."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(default=MODBUS_PORT, ge=1, le=65535)


class SpeaksEntry(BaseModel):
    """`speaks` of `plant.yaml`; OPC UA is always spoken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sparkplug: SparkplugEntry | None = None
    modbus: ModbusEntry | None = None

    def access(self) -> Access:
        """Who the plant is for its broker."""
        from pathlib import Path

        entry = self.sparkplug
        assert entry is not None
        return Access(Path(entry.authority) if entry.authority else None, user=entry.user)

    def urls(self, host: str = "127.0.0.1") -> dict[str, str]:
        """Where each protocol is spoken."""
        found = {}
        if self.sparkplug is not None:
            found["sparkplug"] = (
                f"{self.sparkplug.broker.rstrip('/')}/spBv1.0/{self.sparkplug.group}/{self.sparkplug.edge}"
            )
        if self.modbus is not None:
            found["modbus"] = f"modbus://{host}:{self.modbus.port}/1"
        return found
