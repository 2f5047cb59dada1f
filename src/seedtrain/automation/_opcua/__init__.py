"""A plant behind an OPC UA server: connection, mapping file, the executor's devices, and what a server offers."""

from seedtrain.automation._opcua._browse import Offered, browse
from seedtrain.automation._opcua._draft import draft_mapping
from seedtrain.automation._opcua._mapping import Mapping, parse_mapping, read_mapping
from seedtrain.automation._opcua._plant import OpcUaPlant
from seedtrain.automation._opcua._session import Session
from seedtrain.automation._opcua._unit import OpcUaUnit

__all__ = [
    "Mapping",
    "Offered",
    "OpcUaPlant",
    "OpcUaUnit",
    "Session",
    "browse",
    "draft_mapping",
    "parse_mapping",
    "read_mapping",
]
