"""Modbus TCP by register map: a client and a server."""

from seedtrain.automation._protocols._modbus._client import ModbusConnection, ModbusDevice, identification
from seedtrain.automation._protocols._modbus._map import (
    Register,
    RegisterMap,
    decoded,
    encoded,
    parse_register_map,
    read_register_map,
)
from seedtrain.automation._protocols._modbus._serve import ServerFault, Store, serve_modbus
from seedtrain.automation._protocols._modbus._wire import Fault, Table

__all__ = [
    "Fault",
    "ModbusConnection",
    "ModbusDevice",
    "Register",
    "RegisterMap",
    "ServerFault",
    "Store",
    "Table",
    "decoded",
    "encoded",
    "identification",
    "parse_register_map",
    "read_register_map",
    "serve_modbus",
]
