"""What an instance of a type has to have, and what it may have, read off the type itself (OPC UA part 3, 6.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Nodes

_SUBTYPE: Final = ua.NodeId(ua.ObjectIds.HasSubtype)
_TYPE: Final = ua.NodeId(ua.ObjectIds.HasTypeDefinition)
_RULE: Final = ua.NodeId(ua.ObjectIds.HasModellingRule)
ORGANIZES: Final = ua.NodeId(ua.ObjectIds.Organizes)
_HOLDS: Final = frozenset(
    ua.NodeId(getattr(ua.ObjectIds, name)) for name in ("HasComponent", "HasProperty", "Organizes", "HasAddIn")
)
_MANDATORY: Final = ua.NodeId(ua.ObjectIds.ModellingRule_Mandatory)
_OPTIONAL: Final = ua.NodeId(ua.ObjectIds.ModellingRule_Optional)

Name = tuple[int, str]
"""A browse name: the index of its namespace, and itself."""


@dataclass(frozen=True)
class Member:
    """One instance declaration with what hangs below it. `declared`: the nodes that declare it, the nearest first."""

    name: ua.QualifiedName
    kind: ua.NodeClass
    reference: ua.NodeId
    type: ua.NodeId | None
    mandatory: bool
    declared: tuple[ua.NodeId, ...]
    below: Mapping[Name, Member] = field(default_factory=dict)


Members = Mapping[Name, Member]


class TypeMembers:
    """The instance declarations of every type of a server, each type looked at once."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._known: dict[ua.NodeId, Members] = {}

    def of(self, type_id: ua.NodeId) -> Members:
        """Everything that the type and those above it declare, what is nearer to the type first."""
        if type_id not in self._known:
            above = self._one(type_id, _SUBTYPE, away=False)
            self._known[type_id] = merged(self._declared(type_id), self.of(above) if above is not None else {})
        return self._known[type_id]

    def value(self, node: ua.NodeId) -> ua.Variant | None:
        """The value that a declaration has, if it has one."""
        found = self._nodes[node].attributes.get(ua.AttributeIds.Value)
        shown = found.value.Value if found is not None and found.value is not None else None
        return shown if shown is not None and shown.VariantType != ua.VariantType.Null else None

    def data_type(self, node: ua.NodeId) -> ua.NodeId:
        """The data type that a declaration asks for."""
        found = self._nodes[node].attributes[ua.AttributeIds.DataType].value
        assert found is not None
        assert found.Value is not None
        return found.Value.Value

    def states(self, machine: ua.NodeId) -> Iterator[ua.ReferenceDescription]:
        """The states and transitions of a type of state machine and of those above it."""
        above = self._one(machine, _SUBTYPE, away=False)
        yield from (
            item for item in self._nodes[machine].references if item.IsForward and item.ReferenceTypeId in _HOLDS
        )
        if above is not None:
            yield from self.states(above)

    def _declared(self, node: ua.NodeId) -> dict[Name, Member]:
        found: dict[Name, Member] = {}
        for item in self._nodes[node].references:
            if not item.IsForward or item.ReferenceTypeId not in _HOLDS:
                continue
            rule = self._one(item.NodeId, _RULE)
            if rule in (_MANDATORY, _OPTIONAL):
                member = Member(
                    item.BrowseName,
                    item.NodeClass,
                    item.ReferenceTypeId,
                    self._one(item.NodeId, _TYPE),
                    rule == _MANDATORY,
                    (item.NodeId,),
                    self._declared(item.NodeId),
                )
                found[item.BrowseName.NamespaceIndex, item.BrowseName.Name] = member
        return found

    def _one(self, node: ua.NodeId, reference: ua.NodeId, *, away: bool = True) -> ua.NodeId | None:
        for item in self._nodes[node].references:
            if item.ReferenceTypeId == reference and item.IsForward is away:
                return item.NodeId
        return None


def merged(near: Members, far: Members) -> Members:
    """Declarations of a type over those that it inherits: one that is said again is narrowed, never loosened."""
    found = dict(near)
    for name, member in far.items():
        mine = found.get(name)
        found[name] = (
            member
            if mine is None
            else replace(
                mine,
                mandatory=mine.mandatory or member.mandatory,
                declared=(*mine.declared, *member.declared),
                below=merged(mine.below, member.below),
            )
        )
    return found
