"""A SiLA 2 server as a device of tags: properties are read, and commands with one plain parameter are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from seedtrain.automation._devices import Identity, Origin, Plain, Tag, TagKind, TagValue
from seedtrain.automation._protocols._sila._client import SERVICE, SilaClient
from seedtrain.automation._protocols._sila._feature import Element, Feature, SilaType
from seedtrain.base import InputError

_KINDS: Final[Mapping[str, TagKind]] = {
    "Integer": "number",
    "Real": "number",
    "String": "text",
    "Boolean": "truth",
    "Timestamp": "time",
}
CORE: Final = ("SiLAService", "LockController")


class SilaDevice:
    """One server. A tag is `Feature.Property`, or `Feature.Command` for what can be written."""

    def __init__(self, client: SilaClient, origin: Origin = "measured") -> None:
        self.client = client
        self.features = client.features or client.discover()
        self._origin: Origin = origin
        self._identity: Identity | None = None
        self._tags = {tag.name: tag for feature in self.features.values() for tag in _tags(feature)}

    @property
    def name(self) -> str:
        """Its address."""
        return str(self.client.address)

    def close(self) -> None:
        """Leave the server."""
        self.client.close()

    def lock(self, owner: str) -> None:
        """Keep other clients away until it is closed, where the server can be locked; `InputError` where one has it."""
        self.client.lock(owner)

    def identify(self) -> Identity:
        """What the server says of itself."""
        if self._identity is None:
            name, kind, vendor = (
                str(self.client.read(SERVICE, item)) for item in ("ServerName", "ServerType", "ServerVendorURL")
            )
            self._identity = Identity(name, vendor, kind, self._origin)
        return self._identity

    def tags(self) -> tuple[Tag, ...]:
        """Properties that hold one plain value, and commands that take one."""
        return tuple(self._tags.values())

    def _tag(self, name: str) -> tuple[Tag, Feature, str]:
        if name not in self._tags:
            known = ", ".join(list(self._tags)[:8])
            raise InputError(f"{self.name} has no tag {name!r}", remedy=f"Use one of: {known}.")
        feature, _, own = name.partition(".")
        return self._tags[name], self.features[feature], own

    def read(self, names: Sequence[str]) -> tuple[TagValue, ...]:
        """The value of each property; SiLA 2 says no source time, so that it is the time of the answer."""
        found = []
        for name in names:
            tag, feature, own = self._tag(name)
            if tag.writable:
                raise InputError(f"{name} is a command and holds no value", remedy="Read a property.")
            value = _plain(self.client.read(feature, own))
            found.append(
                TagValue(name, value, tag.unit, datetime.now(UTC), "bad" if value is None else "good", self._origin)
            )
        return tuple(found)

    def write(self, values: Mapping[str, Plain]) -> None:
        """Run the command of each tag with its value, to its end."""
        for name, value in values.items():
            tag, feature, own = self._tag(name)
            if not tag.writable:
                raise InputError(f"{name} is a property and cannot be written", remedy="Write a command.")
            (parameter,) = feature.command(own).parameters
            if isinstance(value, float) and _resolved(parameter.type, feature).basic == "Integer":
                value = int(value)
            self.client.run(feature, own, {parameter.identifier: value})


def _resolved(kind: SilaType, feature: Feature) -> SilaType:
    while kind.named:
        kind = feature.types[kind.named]
    return kind


def _tags(feature: Feature) -> list[Tag]:
    if feature.identifier in CORE:
        return []
    found = []
    for item in feature.properties.values():
        kind = _resolved(item.type, feature)
        if kind.basic in _KINDS:
            found.append(_made(feature, item.identifier, item, kind, writable=False, words=item.words))
    for command in feature.commands.values():
        if len(command.parameters) == 1:
            (parameter,) = command.parameters
            kind = _resolved(parameter.type, feature)
            if kind.basic in _KINDS:
                found.append(_made(feature, command.identifier, parameter, kind, writable=True, words=command.words))
    return found


def _made(feature: Feature, name: str, item: Element, kind: SilaType, *, writable: bool, words: str) -> Tag:
    return Tag(f"{feature.identifier}.{name}", _KINDS[kind.basic], item.type.unit or kind.unit, writable, words)


def _plain(value: Any) -> Plain | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return float(value) if value - value == 0 else None
    return value if isinstance(value, (str, datetime)) else None
