"""Which protocols a plant speaks beside OPC UA."""

from __future__ import annotations

from typing import Protocol

from seedtrain.automation._plant._points import Points
from seedtrain.automation._plant._settings import PlantSettings
from seedtrain.automation._plant._speaks_modbus import ModbusSpeaker
from seedtrain.automation._plant._speaks_sparkplug import SparkplugSpeaker


class Speaker(Protocol):
    """One protocol of a plant."""

    async def start(self, points: Points) -> None:
        """Offer the points; raises `UnavailableError` where that cannot be."""

    async def stop(self) -> None:
        """Leave in order."""


def speakers_of(settings: PlantSettings) -> list[Speaker]:
    """Every protocol that the settings want."""
    wanted = settings.speaks
    found: list[Speaker] = []
    if wanted is not None and wanted.modbus is not None:
        found.append(ModbusSpeaker(settings.host, wanted.modbus.port, settings.register_map))
    if wanted is not None and wanted.sparkplug is not None:
        found.append(SparkplugSpeaker(wanted.sparkplug, wanted.access()))
    return found
