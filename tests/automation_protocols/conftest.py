from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedtrain.automation import SpeaksEntry
from seedtrain.automation._served import PlantProcess
from tests.automation_protocols.spoken import broker, free_port, speaking

for package, group in (
    ("asyncua", "plant"),
    ("paho", "protocols"),
    ("google.protobuf", "protocols"),
    ("grpc", "protocols"),
):
    pytest.importorskip(package, reason=f"the group `{group}` is not installed")


@pytest.fixture(scope="session")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One open broker for all tests."""
    with broker(tmp_path_factory.mktemp("broker"), free_port()) as port:
        yield port


@pytest.fixture(scope="session")
def plant_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("speaking")


@pytest.fixture(scope="session")
def speaking_plant(plant_folder: Path, broker_port: int) -> Iterator[tuple[PlantProcess, SpeaksEntry]]:
    """One plant that speaks everything, an hour of process time a second."""
    with speaking(plant_folder, broker_port) as found:
        yield found
