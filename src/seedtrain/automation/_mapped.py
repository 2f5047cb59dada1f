"""A plant behind a mapping file, whatever it speaks: the address in the file says which."""

from __future__ import annotations

from pathlib import Path

from seedtrain.automation._opcua import Mapping, OpcUaPlant, read_mapping
from seedtrain.automation._protocols import OPC_UA, TAG_SCHEMES, TagMapping, TagPlant, names_tags, read_tag_mapping
from seedtrain.base import read_document
from seedtrain.recipe import ControlRecipe

AnyMapping = Mapping | TagMapping
AnyPlant = OpcUaPlant | TagPlant


def read_any_mapping(path: Path) -> AnyMapping:
    """Read a mapping file of nodes (OPC UA) or of tags, by the scheme of its `server`.

    Over OPC UA it is one of tags where no unit has what a mapping of nodes says of each.

    Raises `InputErrors` with every fault and its place.
    """
    data = read_document(path, what="mapping").data
    scheme = str(data.get("server", "")).partition("://")[0] if isinstance(data, dict) else ""
    tags = scheme in TAG_SCHEMES or (scheme == OPC_UA and names_tags(data))
    return read_tag_mapping(path) if tags else read_mapping(path)


def mapped_plant(
    mapping: AnyMapping, control: ControlRecipe | None = None, *, owner: str = "seedtrain", patience: float = 30.0
) -> AnyPlant:
    """Connect to the plant of a mapping; raises as `OpcUaPlant` and `TagPlant` do.

    - `owner`: who drives, so that nobody else does meanwhile. `patience`: of OPC UA, as for `OpcUaPlant`.
    """
    if isinstance(mapping, TagMapping):
        return TagPlant(mapping, control, owner=owner)
    return OpcUaPlant(mapping, control, owner=owner, patience=patience)
