"""Extracts the types that the virtual plant uses from the OPC Foundation's node sets.

The node sets come with the judge (`npm ci --prefix tests/automation_opcua/judge`). What is written is shipped with the
plant, under the OPC Foundation's MIT licence, which stands beside it:

    python -m tests.automation_opcua.lads_types
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

NODE_SETS: Final = Path(__file__).parent / "judge" / "node_modules" / "node-opcua-nodesets"
WRITTEN: Final = Path(__file__).parents[2] / "src" / "seedtrain" / "automation" / "_plant" / "lads_types.json"
UA: Final = "http://opcfoundation.org/UA/"
SPACES: Final = (UA, *(f"{UA}{name}/" for name in ("DI", "AMB", "Machinery", "LADS")))
"""Where a namespace stands here is its number in the file."""
ROOTS: Final = (
    "1:5001",  # DeviceSet
    "3:1001",  # Machines
    *("4:1002", "4:1003", "4:1006", "4:1009", "4:1016", "4:1030"),  # devices, units, programs, functions, controllers
    *("4:1039", "4:1043", "4:1044", "4:1036"),  # state machines
    *("4:1019", "4:1020", "4:1022", "4:1041", "4:1040"),  # sets and the active program
)
SUBTYPE: Final = "0:45"
"""HasSubtype: a type needs those above it, not those below."""
_XML: Final = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"


@dataclass
class Official:
    """One node of a node set; `refs`: type, target and whether it points away."""

    id: str
    kind: str
    name: str
    element: ET.Element
    ids: dict[str, str]
    spaces: list[int | None]
    refs: set[tuple[str, str, bool]] = field(default_factory=set)

    def node(self, text: str) -> str:
        """A node id of its file as `namespace:number`."""
        return _node(self.ids.get(text, text), self.spaces)


def _node(text: str, spaces: list[int | None]) -> str:
    space, _, number = text.strip().rpartition(";")
    return f"{spaces[int(space.removeprefix('ns='))] if space else 0}:{number.removeprefix('i=')}"


def _name(text: str, spaces: list[int | None]) -> str:
    space, colon, name = text.partition(":")
    return f"{spaces[int(space)]}:{name}" if colon and space.isdigit() else f"0:{text}"


def read_node_sets(folder: Path = NODE_SETS) -> tuple[dict[str, Official], list[str]]:
    """Every node of the five node sets by its id, and the models with their versions."""
    nodes: dict[str, Official] = {}
    models = []
    for file in ("", "Di.", "AMB.", "Machinery.", "LADS."):
        root = ET.parse(folder / "nodesets" / f"Opc.Ua.{file}NodeSet2.xml").getroot()  # noqa: S314 - official, pinned
        uris = [UA, *(item.text or "" for item in root.findall(f"{_XML}NamespaceUris/{_XML}Uri"))]
        spaces = [SPACES.index(uri) if uri in SPACES else None for uri in uris]
        ids = {str(item.get("Alias")): str(item.text) for item in root.findall(f"{_XML}Aliases/{_XML}Alias")}
        model = next(iter(root.findall(f"{_XML}Models/{_XML}Model")))
        models.append(f"{model.get('ModelUri')} {model.get('Version')} {str(model.get('PublicationDate'))[:10]}")
        for element in root:
            kind = element.tag.removeprefix(f"{_XML}UA")
            if element.get("NodeId") is None:
                continue
            node = _node(str(element.get("NodeId")), spaces)
            found = Official(node, kind, _name(str(element.get("BrowseName")), spaces), element, ids, spaces)
            nodes[node] = found
            for reference in element.findall(f"{_XML}References/{_XML}Reference"):
                away = reference.get("IsForward") != "false"
                found.refs.add((found.node(str(reference.get("ReferenceType"))), found.node(str(reference.text)), away))
    for item in list(nodes.values()):
        for kind, target, away in list(item.refs):
            if target in nodes:
                nodes[target].refs.add((kind, item.id, not away))
    return nodes, models


def used(nodes: dict[str, Official]) -> list[Official]:
    """The roots with all that they are made of and all that they inherit, and what says of each namespace that the
    plant has a part of it; in the order of their ids."""
    metadata = [node.id for node in nodes.values() if node.name.partition(":")[2] in SPACES[1:]]
    left, seen = [*ROOTS, *metadata], set()
    while left:
        here = left.pop()
        if here in seen or here.startswith("0:") or here not in nodes:
            continue
        seen.add(here)
        node = nodes[here]
        for kind, target, away in node.refs:
            left += [kind, target] if away != (kind == SUBTYPE) else []
        if node.element.get("DataType"):
            left.append(node.node(str(node.element.get("DataType"))))
        left += [
            node.node(str(item.get("DataType"))) for item in node.element.iter(f"{_XML}Field") if item.get("DataType")
        ]
    return sorted((nodes[node] for node in seen), key=lambda node: tuple(map(int, node.id.split(":"))))


def row(node: Official, kept: set[str]) -> list[Any]:
    """What the file has of a node: id, class, browse name, attributes, references (type, target, 1 where it points
    away; those between two nodes of the file once)."""
    element = node.element
    attributes: dict[str, Any] = {}
    display = element.findtext(f"{_XML}DisplayName")
    if display != node.name.partition(":")[2]:
        attributes["display"] = display
    if element.get("DataType"):
        attributes["type"] = node.node(str(element.get("DataType")))
    for key, name in (("rank", "ValueRank"), ("access", "AccessLevel"), ("notifier", "EventNotifier")):
        if element.get(name) is not None:
            attributes[key] = int(str(element.get(name)))
    if element.get("IsAbstract") == "true":
        attributes["abstract"] = True
    definition = element.find(f"{_XML}Definition")
    if definition is not None:
        attributes["fields"] = list(_fields(node, definition))
    value = element.find(f"{_XML}Value")
    if value is not None and len(value):
        attributes["value"] = _value(node, value[0])
    refs = sorted(
        [kind, target, int(away)]
        for kind, target, away in node.refs
        if (away and target in kept) or target.startswith("0:")
        if not (target.startswith("0:") and not away and kind in ("0:40", "0:37"))
    )
    return [node.id, node.kind, node.name, attributes, refs]


def _fields(node: Official, definition: ET.Element) -> Iterator[list[Any]]:
    for item in definition.findall(f"{_XML}Field"):
        if item.get("Value") is not None:
            yield [item.get("Name"), int(str(item.get("Value")))]
        else:
            yield [item.get("Name"), node.node(str(item.get("DataType") or "i=24")), int(item.get("ValueRank") or -1)]


def _value(node: Official, value: ET.Element) -> list[Any]:
    kind = value.tag.partition("}")[2]

    def words(item: ET.Element | None, path: str) -> str:
        return (item.findtext(path) if item is not None else "") or ""

    if kind == "ListOfExtensionObject":
        bodies = [next(iter(body)) for body in value.iter() if body.tag.endswith("}Body")]
        if bodies[0].tag.endswith("}Argument"):
            found = [
                [
                    words(item, "{*}Name"),
                    node.node(words(item, "{*}DataType/{*}Identifier")),
                    int(words(item, "{*}ValueRank") or -1),
                    re.sub(r"\s+", " ", words(item, "{*}Description/{*}Text")),
                ]
                for item in bodies
            ]
            return ["Argument", found]
        return [
            "EnumValueType",
            [[int(words(item, "{*}Value")), words(item, "{*}DisplayName/{*}Text")] for item in bodies],
        ]
    if kind == "QualifiedName":
        return [kind, _name(f"{words(value, '{*}NamespaceIndex') or 0}:{words(value, '{*}Name')}", node.spaces)]
    if kind == "LocalizedText":
        return [kind, words(value, "{*}Text")]
    if kind == "ListOfLocalizedText":
        return [kind, [words(item, "{*}Text") for item in value]]
    if kind.startswith("ListOf"):
        return [kind, [_plain(kind.removeprefix("ListOf"), item.text) for item in value]]
    return [kind, _plain(kind, value.text)]


def _plain(kind: str, text: str | None) -> int | str | bool:
    if kind == "Boolean":
        return text == "true"
    return int(text or 0) if kind in ("UInt32", "Byte", "UInt16", "Int32") else text or ""


def extracted(folder: Path = NODE_SETS) -> str:
    """The file's text: one node a line."""
    nodes, models = read_node_sets(folder)
    found = used(nodes)
    kept = {node.id for node in found}
    head = {
        "origin": models,
        "licence": "OPC Foundation MIT License 1.00, see LICENSE.opcfoundation",
        "spaces": SPACES,
    }
    lines = [json.dumps(row(node, kept), ensure_ascii=False, separators=(",", ":")) for node in found]
    return json.dumps(head, indent=1)[:-2] + ',\n "nodes": [\n' + ",\n".join(lines) + "\n]}\n"


if __name__ == "__main__":
    WRITTEN.write_text(extracted(), encoding="utf-8")
