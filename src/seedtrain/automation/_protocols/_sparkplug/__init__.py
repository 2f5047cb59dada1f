"""Sparkplug B over MQTT: an edge node, and a host application."""

from seedtrain.automation._protocols._sparkplug._device import ORIGIN, READ_ONLY, UNCERTAIN, SparkplugDevice
from seedtrain.automation._protocols._sparkplug._edge import EdgeNode, Ordered
from seedtrain.automation._protocols._sparkplug._host import HostView, NodeView, command, listened, rebirth_request
from seedtrain.automation._protocols._sparkplug._payload import (
    DataType,
    Metric,
    Payload,
    Property,
    decode,
    encode,
)
from seedtrain.automation._protocols._sparkplug._topics import (
    NAMESPACE,
    Message,
    Topic,
    parse_topic,
    read_state,
    state_message,
    state_topic,
)

__all__ = [
    "NAMESPACE",
    "ORIGIN",
    "READ_ONLY",
    "UNCERTAIN",
    "DataType",
    "EdgeNode",
    "HostView",
    "Message",
    "Metric",
    "NodeView",
    "Ordered",
    "Payload",
    "Property",
    "SparkplugDevice",
    "Topic",
    "command",
    "decode",
    "encode",
    "listened",
    "parse_topic",
    "read_state",
    "rebirth_request",
    "state_message",
    "state_topic",
]
