"""A plant behind a mapping file, whatever it speaks: the address in the file says which."""

from __future__ import annotations

from pathlib import Path

from seedtrain.automation._opcua import Mapping, OpcUaPlant, read_mapping
from seedtrain.automation._protocols import TAG_SCHEMES, TagMapping, TagPlant, read_tag_mapping
from seedtrain.base import read_document
from seedtrain.recipe import ControlRecipe

AnyMapping = Mapping | TagMapping
AnyPlant = OpcUaPlant | TagPlant


def read_any_mapping(path: Path) -> AnyMapping:
    """Read a mapping file of nodes (OPC UA) or of tags (the other protocols), by the scheme of its `server`.

    Raises `InputErrors` with every fault and its place.
    """
    data = read_document(path, what="mapping").data
    server = str(data.get("server", "")) if isinstance(data, dict) else ""
    return read_tag_mapping(path) if server.partition("://")[0] in TAG_SCHEMES else read_mapping(path)


def mapped_plant(
    mapping: AnyMapping, control: ControlRecipe | None = None, *, owner: str = "seedtrain", patience: float = 30.0
) -> AnyPlant:
    """Connect to the plant of a mapping; raises as `OpcUaPlant` and `TagPlant` do.

    - `owner`: who drives, so that nobody else does meanwhile. `patience`: of OPC UA, as for `OpcUaPlant`.
    """
    if isinstance(mapping, TagMapping):
        return TagPlant(mapping, control, owner=owner)
    return OpcUaPlant(mapping, control, owner=owner, patience=patience)
