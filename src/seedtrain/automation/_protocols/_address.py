"""The address of a plant's server, whatever it speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from seedtrain.base import InputError

PORTS: Final = {"opc.tcp": 4840, "mqtt": 1883, "mqtts": 8883, "modbus": 502, "sila": 50052}
"""The schemes that are spoken, each with its usual port. SiLA 2 names none: 50052 is its examples'."""
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_EXAMPLES: Final = "opc.tcp://host:4840, mqtt://host:1883, mqtts://host:8883, modbus://host:502/1 or sila://host:50052"


@dataclass(frozen=True)
class Address:
    """Where a server listens: `path` is what stands after the port, without slashes at its ends."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def on_loopback(self) -> bool:
        """Whether it is this machine."""
        return self.host in LOOPBACK

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}" + (f"/{self.path}" if self.path else "")


def parse_address(text: str, *, schemes: tuple[str, ...] = tuple(PORTS)) -> Address:
    """An address out of its text; raises `InputError` for one that is none, or that carries a password."""
    remedy = f"Write it as {_EXAMPLES}."
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"{_blot(text)!r} is no address: {error}", remedy=remedy) from None
    if parts.scheme not in schemes:
        spoken = ", ".join(f"{scheme}://" for scheme in schemes)
        raise InputError(f"{_blot(text)!r} is no address that is spoken here", remedy=f"Spoken are {spoken}. {remedy}")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            f"the address {_blot(text)} names a user or a password",
            remedy="Leave both away: the user is an option, the password comes from the environment.",
        )
    if not host or port == 0:
        raise InputError(f"the address {text!r} names no {'host' if not host else 'port'}", remedy=remedy)
    if parts.query or parts.fragment:
        raise InputError(f"the address {text!r} has something after its path", remedy=remedy)
    return Address(parts.scheme, host, port or PORTS[parts.scheme], unquote(parts.path).strip("/"))


def _blot(text: str) -> str:
    """An address without the secret that may stand in it."""
    return re.sub(r"//[^/]*@", "//...@", text)
