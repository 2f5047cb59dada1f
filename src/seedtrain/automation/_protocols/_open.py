"""A device behind an address, whatever it speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from seedtrain.automation._devices import Origin, TagDevice
from seedtrain.automation._protocols._access import Access
from seedtrain.automation._protocols._address import Address
from seedtrain.automation._protocols._check import wanted
from seedtrain.automation._protocols._mapping import OPC_UA, TagMapping
from seedtrain.automation._protocols._modbus import ModbusDevice, RegisterMap, read_register_map
from seedtrain.automation._protocols._opcua_tags import OpcUaDevice
from seedtrain.automation._protocols._pioreactor import ROOT, PioreactorDevice
from seedtrain.automation._protocols._sila import SilaClient, SilaDevice
from seedtrain.automation._protocols._sparkplug import NAMESPACE, SparkplugDevice
from seedtrain.base import InputError, silent

LISTEN_S: Final = 5.0


def open_device(
    address: Address,
    access: Access | None = None,
    *,
    registers: RegisterMap | None = None,
    host: str = "",
    origin: Origin = "measured",
    listen: float = LISTEN_S,
    progress: Callable[[float, str], None] = silent,
) -> TagDevice:
    """Connect to a device.

    - `registers`: the register map that Modbus needs. `host`: our id as Sparkplug host application; empty to listen.
    - `origin`: of what a SiLA 2 server says, which cannot tell. `listen`: s to hear what a broker's clients offer.

    Raises `InputError` for an address that does not say enough, `UnavailableError` where nobody answers.
    """
    if address.scheme == "modbus":
        if registers is None:
            raise InputError(
                f"{address} cannot say what its registers mean", remedy="Give its register map: --registers FILE."
            )
        return ModbusDevice(address, registers)
    if address.scheme == "sila":
        client = SilaClient(address, access)
        try:
            client.discover(progress)
        except BaseException:
            client.close()
            raise
        return SilaDevice(client, origin)
    root = address.path.partition("/")[0]
    if root == ROOT:
        return PioreactorDevice(address, access, listen=listen, progress=progress)
    if root == NAMESPACE:
        return SparkplugDevice(address, access, host=host, births=listen, progress=progress)
    raise InputError(
        f"{address} does not say what is spoken over MQTT",
        remedy=f"Write {address}/{NAMESPACE}/GROUP/EDGE for Sparkplug B, or {address}/{ROOT}/UNIT for a Pioreactor.",
    )


def mapped_device(mapping: TagMapping) -> TagDevice:
    """The device that a mapping file names."""
    entry = mapping.entry
    if mapping.address.scheme == OPC_UA:
        names = [name for _, name, *_ in wanted(mapping)]
        origins = {unit.origin for unit in entry.units.values()}
        said: Origin = "simulated" if origins == {"simulated"} else "measured"
        return OpcUaDevice(mapping.address, mapping.access, names, mapping.node, said)
    registers = read_register_map(mapping.folder / entry.registers) if entry.registers else None
    origins = {unit.origin for unit in entry.units.values()}
    origin: Origin = "simulated" if origins == {"simulated"} else "measured"
    return open_device(mapping.address, mapping.access, registers=registers, host=entry.host, origin=origin)
