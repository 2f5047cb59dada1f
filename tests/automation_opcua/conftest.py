from __future__ import annotations

from collections.abc import Iterator

import pytest

from seedtrain.automation._opcua import Mapping
from seedtrain.automation._served import PlantProcess
from tests.automation_opcua.served import drafted, mapped, served

pytest.importorskip("asyncua", reason="the group `plant` is not installed")


@pytest.fixture(scope="session")
def plant_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlantProcess]:
    """One lock-step plant for all tests that only look at it."""
    with served(tmp_path_factory.mktemp("plant")) as process:
        yield process


@pytest.fixture(scope="session")
def draft(plant_process: PlantProcess) -> str:
    return drafted(plant_process.url)


@pytest.fixture(scope="session")
def mapping(plant_process: PlantProcess) -> Mapping:
    return mapped(plant_process.url)
