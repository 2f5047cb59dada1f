"""An OPC UA server that keeps values and runs no programs, such as a controller's: its nodes are tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from seedtrain.automation._devices import Identity, Origin, Plain, Tag, TagKind, TagValue
from seedtrain.automation._lads import unit_text
from seedtrain.automation._opcua import Session
from seedtrain.automation._protocols._access import Access
from seedtrain.automation._protocols._address import Address
from seedtrain.automation._security import Security
from seedtrain.base import InputError

PATIENCE_S: Final = 10.0
_MANUFACTURER, _PRODUCT = "i=2263", "i=2261"
"""Of the server's build information (OPC UA part 5, 6.3.2)."""
_KINDS: Final[Mapping[int, TagKind]] = {
    1: "truth",
    **dict.fromkeys((*range(2, 12), 26, 27, 28, 29), "number"),
    12: "text",
    21: "text",
    13: "time",
    294: "time",
}
"""What a tag holds, by the number of its data type (part 3, 8)."""
_WRITES: Final = 2


class OpcUaDevice:
    """The nodes `names` of a server, each under the name that the mapping gives it; `node` makes it a node id.

    A server that says of a mapped value that it is simulated is one that simulates.
    """

    def __init__(
        self, address: Address, access: Access, names: Sequence[str], node: Callable[[str], str], origin: Origin
    ) -> None:
        self.name = str(address)
        self._node = node
        self._session = Session(self.name, patience=PATIENCE_S, security=_security(access))
        try:
            self._tags, said = self._look(dict.fromkeys(names))
            self._identity = self._identify("simulated" if "simulated" in said else origin)
        except BaseException:
            self._session.close()
            raise

    def _look(self, names: Mapping[str, None]) -> tuple[dict[str, Tag], set[str]]:
        """What of the mapped names is a variable, and what the values say of their origin."""
        nodes = [self._node(name) for name in names]
        types = self._session.read(nodes, "DataType")
        access = self._session.read(nodes, "UserAccessLevel")
        below = self._session.children(nodes)
        units, origins = (
            [part[key].node if key in part else "" for part in below] for key in ("EngineeringUnits", "Origin")
        )
        found: dict[str, Tag] = {}
        for name, kind, level, unit in zip(names, types, access, self._values(units), strict=True):
            number = getattr(kind.value, "Identifier", None) if kind is not None else None
            plain = kind is not None and getattr(kind.value, "NamespaceIndex", 1) == 0 and number in _KINDS
            if plain and number is not None:
                writable = level is not None and bool(int(level.value or 0) & _WRITES)
                found[name] = Tag(name, _KINDS[number], unit_text(unit) or "", writable)
        return found, {str(item) for item in self._values(origins) if item is not None}

    def _values(self, nodes: Sequence[str]) -> list[Any]:
        """The value of each node; None for one that is missing."""
        wanted = [node for node in nodes if node]
        read = iter(self._session.read(wanted))
        found = [next(read) if node else None for node in nodes]
        return [item.value if item is not None else None for item in found]

    def _identify(self, origin: Origin) -> Identity:
        maker, product = self._values([_MANUFACTURER, _PRODUCT])
        return Identity(self.name, str(maker or ""), str(product or ""), origin)

    def identify(self) -> Identity:
        """What the server says of itself."""
        return self._identity

    def tags(self) -> tuple[Tag, ...]:
        """The mapped nodes that it has and that hold a plain value."""
        return tuple(self._tags.values())

    def read(self, names: Sequence[str]) -> tuple[TagValue, ...]:
        """The value of each node now, with its source time; raises `InputError` for one that is not mapped."""
        tags = [self._tag(name) for name in names]
        read = self._session.read([self._node(name) for name in names])
        now = datetime.now(UTC)
        found = []
        for tag, item in zip(tags, read, strict=True):
            value = getattr(item.value, "Text", item.value) if item is not None else None
            time = item.time if item is not None and item.time is not None else now
            quality = item.quality if item is not None and value is not None else "bad"
            shown = _aware(value) if isinstance(value, (bool, int, float, str, datetime)) else None
            kept = shown if quality != "bad" else None
            found.append(TagValue(tag.name, kept, tag.unit, _aware(time), quality, self._identity.origin))
        return tuple(found)

    def write(self, values: Mapping[str, Plain]) -> None:
        """Write nodes, each in its own data type; one that cannot be written is an `InputError`."""
        for name in values:
            if not self._tag(name).writable:
                raise InputError(f"{name} can only be read", remedy="Name a node that can be written.")
        self._session.write({self._node(name): value for name, value in values.items()})

    def _tag(self, name: str) -> Tag:
        try:
            return self._tags[name]
        except KeyError:
            raise InputError(f"{self.name} has no tag {name}", remedy="Map it, as a node that holds a value.") from None

    def close(self) -> None:
        """Leave it; it goes on with what it does."""
        self._session.close()


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _security(access: Access) -> Security | None:
    """Signed and encrypted where there are certificates; a user's password is never sent in the clear."""
    access.check()
    if access.certificate is None or access.private_key is None:
        if access.user or access.authority is not None:
            raise InputError(
                "over OPC UA a user, or a certificate of the server's, goes with our own certificate",
                remedy="Give `certificate` and `private_key` under `security`.",
            )
        return None
    trusted = () if access.authority is None else (access.authority,)
    return Security(access.certificate, access.private_key, trusted, access.user)
