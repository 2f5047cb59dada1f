"""Devices that offer tags: Sparkplug B and Pioreactor's topics over MQTT, Modbus TCP, SiLA 2, plain OPC UA."""

from seedtrain.automation._protocols._access import PASSWORD, PASSWORD_FD, Access
from seedtrain.automation._protocols._address import PORTS, Address, parse_address
from seedtrain.automation._protocols._draft import draft_tag_mapping
from seedtrain.automation._protocols._mapping import (
    OPC_UA,
    TAG_SCHEMES,
    TagMapping,
    names_tags,
    parse_tag_mapping,
    read_tag_mapping,
)
from seedtrain.automation._protocols._modbus import RegisterMap, parse_register_map, read_register_map
from seedtrain.automation._protocols._open import LISTEN_S, open_device
from seedtrain.automation._protocols._tag_plant import TagPlant
from seedtrain.automation._protocols._tag_unit import TagUnit
from seedtrain.automation._protocols._words import device_words

__all__ = [
    "LISTEN_S",
    "OPC_UA",
    "PASSWORD",
    "PASSWORD_FD",
    "PORTS",
    "TAG_SCHEMES",
    "Access",
    "Address",
    "RegisterMap",
    "TagMapping",
    "TagPlant",
    "TagUnit",
    "device_words",
    "draft_tag_mapping",
    "names_tags",
    "open_device",
    "parse_address",
    "parse_register_map",
    "parse_tag_mapping",
    "read_register_map",
    "read_tag_mapping",
]
