"""Instances of types in the plant's server: every mandatory member is made, because the type itself says what is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import Server, ua

from seedtrain.automation._plant._members import ORGANIZES, Member, Members, TypeMembers, merged

Method = Callable[..., Awaitable[Any]]
"""Called with the object's node id and a variant for each argument."""

READS: Final = 1 << ua.AccessLevel.CurrentRead
WRITES: Final = READS | 1 << ua.AccessLevel.CurrentWrite
READS_HISTORY: Final = READS | 1 << ua.AccessLevel.HistoryRead
HAS_COMPONENT: Final = ua.NodeId(ua.ObjectIds.HasComponent)
_ARGUMENTS: Final = ("InputArguments", "OutputArguments")
_ANY_NUMBER: Final = frozenset(range(ua.ObjectIds.Number, ua.ObjectIds.Number + 3))


@dataclass(frozen=True)
class Content:
    """What an instance holds, by paths of browse names from its top.

    - `values`: of its variables; `methods`: what its methods do; `objects`: optional objects that have nothing else.
    - `access`: of variables that are more than readable.

    Optional members that are not named here are left out; a mandatory variable or method without content is a bug.
    """

    values: Mapping[str, ua.Variant] = field(default_factory=dict)
    methods: Mapping[str, Method] = field(default_factory=dict)
    objects: frozenset[str] = frozenset()
    access: Mapping[str, int] = field(default_factory=dict)

    def named(self) -> frozenset[str]:
        """Every path that is to be there, with all above it."""
        paths = [*self.values, *self.methods, *self.objects]
        return frozenset("/".join(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 2))


class Instances:
    """Makes the nodes of a server. Node ids are paths in the plant's namespace, so that every start has the same."""

    def __init__(self, server: Server, index: int) -> None:
        self._service = server.iserver.node_mgt_service
        self._nodes = server.iserver.aspace
        self._index = index
        self.types = TypeMembers(self._nodes)

    def id(self, path: str) -> ua.NodeId:
        """The node id of a path."""
        return ua.NodeId(path, self._index)

    def make(
        self,
        parent: ua.NodeId,
        path: str,
        type_id: ua.NodeId,
        content: Content,
        *,
        name: ua.QualifiedName | None = None,
        reference: ua.NodeId = HAS_COMPONENT,
        within: str | None = None,
    ) -> ua.NodeId:
        """An object below `parent`, with everything that its type asks for.

        - `name`: its browse name; the last part of its path, without it.
        - `within`: the path below which its members lie; its own, without it.
        """
        node = self.id(path)
        browse = name or ua.QualifiedName(path.rpartition("/")[2], self._index)
        self._add(parent, node, browse, ua.NodeClass.Object, ua.ObjectAttributes(), type_id, reference)
        _Making(self, path if within is None else within, content).all(node, self.types.of(type_id))
        return node

    def variable(
        self,
        parent: ua.NodeId,
        path: str,
        value: ua.Variant,
        *,
        access: int = READS,
        data_type: ua.NodeId | None = None,
        property_: bool = False,
    ) -> ua.NodeId:
        """A variable of the plant's own, named by the last part of its path."""
        name = ua.QualifiedName(path.rpartition("/")[2], self._index)
        kinds = (ua.ObjectIds.PropertyType, ua.ObjectIds.HasProperty)
        kind, reference = kinds if property_ else (ua.ObjectIds.BaseDataVariableType, ua.ObjectIds.HasComponent)
        attributes = _variable(value, data_type or ua.NodeId(value.VariantType.value), access)
        self._add(parent, self.id(path), name, ua.NodeClass.Variable, attributes, ua.NodeId(kind), ua.NodeId(reference))
        return self.id(path)

    def refer(self, source: ua.NodeId, reference: ua.NodeId, target: ua.NodeId) -> None:
        """One more reference between two nodes, from both ends."""
        for here, there, away in ((source, target, True), (target, source, False)):
            item = ua.AddReferencesItem(
                SourceNodeId=here,
                ReferenceTypeId=reference,
                IsForward=away,
                TargetNodeId=there,
                TargetNodeClass=ua.NodeClass.Unspecified,
            )
            (status,) = self._service.add_references([item])
            assert status.is_good(), f"{here} cannot refer to {there}: {status.name}"

    def share(self, source: ua.NodeId, twin: ua.NodeId) -> None:
        """Let two variables be one value, written once: who watches either is told."""
        attribute = ua.AttributeIds.Value
        self._nodes[twin].attributes[attribute] = self._nodes[source].attributes[attribute]

    def computed(self, node: ua.NodeId, value: Callable[[], float]) -> None:
        """Let a number be found when it is read."""

        def found(*_: Any) -> ua.DataValue:
            return ua.DataValue(ua.Variant(value(), ua.VariantType.Double))

        self._nodes.set_attribute_value_callback(node, ua.AttributeIds.Value, found)

    def _add(
        self,
        parent: ua.NodeId,
        node: ua.NodeId,
        name: ua.QualifiedName,
        kind: ua.NodeClass,
        attributes: Any,
        type_id: ua.NodeId | None,
        reference: ua.NodeId,
    ) -> None:
        attributes.DisplayName = ua.LocalizedText(name.Name)
        item = ua.AddNodesItem(
            ParentNodeId=parent,
            ReferenceTypeId=reference,
            RequestedNewNodeId=node,
            BrowseName=name,
            NodeClass=kind,
            NodeAttributes=attributes,
            TypeDefinition=type_id or ua.NodeId(),
        )
        (result,) = self._service.add_nodes([item])
        assert result.StatusCode.is_good(), f"{node} cannot be added: {result.StatusCode.name}"

    def call(self, node: ua.NodeId, method: Method) -> None:
        """What a method does."""
        self._nodes.add_method_callback(node, method)


class _Making:
    """One instance while it is made. Members that stand in two places of their type are one node here too."""

    def __init__(self, instances: Instances, within: str, content: Content) -> None:
        self._instances = instances
        self._within = within
        self._content = content
        self._named = content.named()
        self._made: dict[ua.NodeId, ua.NodeId] = {}
        self._groups: list[tuple[ua.NodeId, str, Member]] = []

    def all(self, parent: ua.NodeId, members: Members) -> None:
        """Everything below `parent`; groups come last, because they point at what is there."""
        self._members(parent, "", members)
        while self._groups:
            group, path, member = self._groups.pop(0)
            there = next((self._made[item] for item in member.declared if item in self._made), None)
            if there is None:
                self._member(group, path, member)
            else:
                self._instances.refer(group, member.reference, there)

    def _members(self, parent: ua.NodeId, path: str, members: Members) -> None:
        for member in members.values():
            here = f"{path}{member.name.Name}"
            if not member.mandatory and here not in self._named:
                continue
            if member.reference == ORGANIZES:
                self._groups.append((parent, here, member))
            else:
                self._member(parent, here, member)

    def _member(self, parent: ua.NodeId, path: str, member: Member) -> None:
        make, type_id = self._instances, member.type
        node = make.id(f"{self._within}/{path}")
        make._add(parent, node, member.name, member.kind, self._attributes(path, member), type_id, member.reference)
        self._made |= dict.fromkeys(member.declared, node)
        if member.kind == ua.NodeClass.Method:
            self._method(node, path, member)
            return
        assert type_id is not None, f"{path} has no type"
        self._members(node, f"{path}/", merged(member.below, make.types.of(type_id)))

    def _attributes(self, path: str, member: Member) -> Any:
        if member.kind == ua.NodeClass.Object:
            return ua.ObjectAttributes()
        if member.kind == ua.NodeClass.Method:
            return ua.MethodAttributes(Executable=True, UserExecutable=True)
        assert path in self._content.values, f"{self._within}: nothing is known of {path}"
        value = self._content.values[path]
        data_type = self._instances.types.data_type(member.declared[0])
        return _variable(value, data_type, self._content.access.get(path, READS))

    def _method(self, node: ua.NodeId, path: str, member: Member) -> None:
        """A method with the arguments that its declaration has."""
        make = self._instances
        for argument in member.below.values():
            values = (make.types.value(item) for item in argument.declared)
            value = next((item for item in values if item is not None), None)
            if argument.name.Name in _ARGUMENTS and value is not None:
                attributes = _variable(value, ua.NodeId(ua.ObjectIds.Argument), READS)
                below = make.id(f"{self._within}/{path}/{argument.name.Name}")
                make._add(
                    node, below, argument.name, ua.NodeClass.Variable, attributes, argument.type, argument.reference
                )
        assert path in self._content.methods, f"{self._within}: nobody does {path}"
        make.call(node, self._content.methods[path])


def _variable(value: ua.Variant, data_type: ua.NodeId, access: int) -> ua.VariableAttributes:
    if data_type.NamespaceIndex == 0 and data_type.Identifier in (*_ANY_NUMBER, ua.ObjectIds.BaseDataType):
        data_type = ua.NodeId(value.VariantType.value)  # an abstract type is not that of a value
    array = isinstance(value.Value, list)
    return ua.VariableAttributes(
        Value=value,
        DataType=data_type,
        ValueRank=1 if array else -1,
        ArrayDimensions=[0] if array else [],
        AccessLevel=access,
        UserAccessLevel=access,
    )
