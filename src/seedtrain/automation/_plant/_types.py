"""The companion specifications' types in the plant's server: of DI, AMB, Machinery and LADS, those that it uses.

`lads_types.json` is extracted from the OPC Foundation's node sets, whose licence stands beside it; node ids and browse
names are the official ones. The server says of each of these namespaces that it has a subset of it (part 5, 6.3.14).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

from asyncua import Server, ua

_CLASSES: Final[Mapping[str, tuple[ua.NodeClass, Callable[[], Any]]]] = {
    "Object": (ua.NodeClass.Object, ua.ObjectAttributes),
    "Variable": (ua.NodeClass.Variable, ua.VariableAttributes),
    "Method": (ua.NodeClass.Method, ua.MethodAttributes),
    "ObjectType": (ua.NodeClass.ObjectType, ua.ObjectTypeAttributes),
    "VariableType": (ua.NodeClass.VariableType, ua.VariableTypeAttributes),
    "DataType": (ua.NodeClass.DataType, ua.DataTypeAttributes),
    "ReferenceType": (ua.NodeClass.ReferenceType, ua.ReferenceTypeAttributes),
}
_TYPE: Final = ua.NodeId(ua.ObjectIds.HasTypeDefinition)
_SUBSET: Final = "IsNamespaceSubset"


class Types:
    """The types of one server. Nodes are named as in the file: the number of the namespace there, and the node's."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._data: dict[str, Any] = json.loads(
            (files("seedtrain.automation._plant") / "lads_types.json").read_text(encoding="utf-8")
        )
        self._spaces: list[int] = []

    async def load(self) -> None:
        """Add every type to the server."""
        spaces = self._data["spaces"]
        self._spaces = [0, *[await self._server.register_namespace(uri) for uri in spaces[1:]]]
        service = self._server.iserver.node_mgt_service
        rows = self._data.pop("nodes")
        there = list(service.try_add_nodes([self._item(*row[:4]) for row in rows], check=False))
        assert not there, f"{there[0].RequestedNewNodeId} is there already"
        references = [item for row in rows for item in self._references(row[0], row[4])]
        references.sort(key=lambda item: item.ReferenceTypeId != _TYPE)  # what refers to a node tells its type too
        refused = list(service.try_add_references(references))
        assert not refused, f"{refused[0].SourceNodeId} refers to {refused[0].TargetNodeId}, which is not there"

    def id(self, text: str) -> ua.NodeId:
        """The node id of `namespace:number`."""
        space, _, number = text.partition(":")
        return ua.NodeId(int(number), self._spaces[int(space)])

    def name(self, text: str) -> ua.QualifiedName:
        """The browse name of `namespace:name`."""
        space, _, name = text.partition(":")
        return ua.QualifiedName(name, self._spaces[int(space)])

    def _item(self, node: str, kind: str, name: str, given: Mapping[str, Any]) -> ua.AddNodesItem:
        number, make = _CLASSES[kind]
        attributes = make()
        browse = self.name(name)
        attributes.DisplayName = ua.LocalizedText(given.get("display", browse.Name))
        if "type" in given:
            attributes.DataType = self.id(given["type"])
        if kind in ("Variable", "VariableType"):
            attributes.ValueRank = given.get("rank", -1)
            attributes.ArrayDimensions = [0] if given.get("rank", -1) == 1 else []
            if browse.Name == _SUBSET:
                attributes.Value = ua.Variant(True, ua.VariantType.Boolean)
            elif "value" in given:
                attributes.Value = self._value(*given["value"])
        if kind in ("ObjectType", "VariableType", "DataType"):
            attributes.IsAbstract = given.get("abstract", False)
        if "fields" in given:
            attributes.DataTypeDefinition = self._definition(given["fields"])
            attributes.SpecifiedAttributes |= ua.NodeAttributesMask.DataTypeDefinition
        return ua.AddNodesItem(
            RequestedNewNodeId=self.id(node), BrowseName=browse, NodeClass=number, NodeAttributes=attributes
        )

    def _references(self, node: str, references: list[list[Any]]) -> Iterator[ua.AddReferencesItem]:
        """Each reference from both of its ends."""
        here = self.id(node)
        for kind, target, away in references:
            ends = (here, self.id(target)) if away else (self.id(target), here)
            for source, goal, forward in ((*ends, True), (*reversed(ends), False)):
                if forward or kind not in ("0:40", "0:37"):  # a type does not list what is of it
                    yield ua.AddReferencesItem(
                        SourceNodeId=source,
                        ReferenceTypeId=self.id(kind),
                        IsForward=forward,
                        TargetNodeId=goal,
                        TargetNodeClass=ua.NodeClass.Unspecified,
                    )

    def _value(self, kind: str, given: Any) -> ua.Variant:
        if kind == "Argument":
            found = [
                ua.Argument(name, self.id(data_type), rank, [0] if rank == 1 else [], ua.LocalizedText(words))
                for name, data_type, rank, words in given
            ]
            return ua.Variant(found, ua.VariantType.ExtensionObject, is_array=True)
        if kind == "EnumValueType":
            values = [ua.EnumValueType(number, ua.LocalizedText(word), ua.LocalizedText("")) for number, word in given]
            return ua.Variant(values, ua.VariantType.ExtensionObject, is_array=True)
        if kind == "ListOfLocalizedText":
            return ua.Variant([ua.LocalizedText(word) for word in given], ua.VariantType.LocalizedText, is_array=True)
        if kind == "LocalizedText":
            return ua.Variant(ua.LocalizedText(given), ua.VariantType.LocalizedText)
        plain = kind.removeprefix("ListOf")
        return ua.Variant(
            self.name(given) if kind == "QualifiedName" else given, ua.VariantType[plain], is_array=plain != kind
        )

    def _definition(self, fields: list[list[Any]]) -> ua.StructureDefinition | ua.EnumDefinition:
        if len(fields[0]) == 2:
            return ua.EnumDefinition(
                Fields=[
                    ua.EnumField(number, ua.LocalizedText(name), ua.LocalizedText(""), name) for name, number in fields
                ]
            )
        found = [
            ua.StructureField(Name=name, DataType=self.id(data_type), ValueRank=rank)
            for name, data_type, rank in fields
        ]
        return ua.StructureDefinition(
            BaseDataType=ua.NodeId(22), StructureType=ua.StructureType.Structure, Fields=found
        )
