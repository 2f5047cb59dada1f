"""A SiLA 2 feature out of its definition: commands, properties, errors and data types.

**Source** SiLA 2 Part (A) v1.1, chapter 2 (features), and its FeatureDefinition.xsd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree

from seedtrain.base import InputError

SPACE: Final = "{http://www.sila-standard.org}"
BASIC: Final = ("String", "Integer", "Real", "Boolean", "Binary", "Date", "Time", "Timestamp", "Any")


@dataclass(frozen=True)
class SilaType:
    """A data type: `basic` names one of `BASIC`, `named` a definition of the feature; else a list or a structure.

    - `unit`: the label of its unit constraint. `lowest`, `highest`: its limits as they are written, empty for none.
    """

    basic: str = ""
    named: str = ""
    items: SilaType | None = None
    elements: tuple[Element, ...] = ()
    unit: str = ""
    lowest: str = ""
    highest: str = ""


@dataclass(frozen=True)
class Element:
    """A named value: a parameter, a response, an element of a structure, or a property."""

    identifier: str
    type: SilaType
    words: str = ""
    observable: bool = False


@dataclass(frozen=True)
class SilaCommand:
    """A command; an `observable` one tells its progress."""

    identifier: str
    observable: bool = False
    parameters: tuple[Element, ...] = ()
    responses: tuple[Element, ...] = ()
    intermediate: tuple[Element, ...] = ()
    errors: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class Feature:
    """One feature; `identifier` is the short one."""

    identifier: str
    originator: str
    category: str
    version: str
    commands: Mapping[str, SilaCommand] = field(default_factory=dict)
    properties: Mapping[str, Element] = field(default_factory=dict)
    types: Mapping[str, SilaType] = field(default_factory=dict)
    words: str = ""

    @property
    def major(self) -> str:
        """The major version."""
        return self.version.partition(".")[0]

    @property
    def package(self) -> str:
        """The package of its protocol buffers messages (SiLA 2 Part (B), mapping of features)."""
        parts = ("sila2", self.originator, self.category, self.identifier.lower(), f"v{self.major}")
        return ".".join(part for part in parts if part)

    @property
    def full(self) -> str:
        """The fully qualified identifier."""
        return f"{self.originator}/{self.category}/{self.identifier}/v{self.major}"

    def command(self, identifier: str) -> SilaCommand:
        """A command; an unknown one is an `InputError` with the known ones."""
        try:
            return self.commands[identifier]
        except KeyError:
            known = ", ".join(self.commands) or "none"
            raise InputError(f"{self.full} has no command {identifier!r}", remedy=f"Its commands: {known}.") from None

    def prop(self, identifier: str) -> Element:
        """A property; an unknown one is an `InputError` with the known ones."""
        try:
            return self.properties[identifier]
        except KeyError:
            known = ", ".join(self.properties) or "none"
            raise InputError(f"{self.full} has no property {identifier!r}", remedy=f"It has: {known}.") from None


def parse_feature(text: str) -> Feature:
    """A feature out of its XML; raises `InputError` for what is no feature definition."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError("a feature definition with its own entities is not read", remedy="Ask the server's maker.")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise InputError(f"a feature definition is no XML: {error}", remedy="Ask the server's maker.") from None
    if root.tag != f"{SPACE}Feature":
        raise InputError(f"{root.tag} is no feature definition", remedy="Ask the server's maker.")
    return Feature(
        _text(root, "Identifier"),
        root.get("Originator", ""),
        root.get("Category", "none"),
        root.get("FeatureVersion", "1.0"),
        {item.identifier: item for item in map(_command, root.findall(f"{SPACE}Command"))},
        {item.identifier: item for item in map(_element, root.findall(f"{SPACE}Property"))},
        {_text(item, "Identifier"): _type_of(item) for item in root.findall(f"{SPACE}DataTypeDefinition")},
        _words(root),
    )


def _text(node: ElementTree.Element, name: str) -> str:
    found = node.findtext(f"{SPACE}{name}")
    if not found or not found.strip():
        raise InputError(f"{node.tag.removeprefix(SPACE)} has no {name}", remedy="Ask the server's maker.")
    return found.strip()


def _words(node: ElementTree.Element) -> str:
    return " ".join((node.findtext(f"{SPACE}Description") or "").split())


def _observable(node: ElementTree.Element) -> bool:
    return (node.findtext(f"{SPACE}Observable") or "").strip() == "Yes"


def _element(node: ElementTree.Element) -> Element:
    return Element(_text(node, "Identifier"), _type_of(node), _words(node), _observable(node))


def _command(node: ElementTree.Element) -> SilaCommand:
    def elements(name: str) -> tuple[Element, ...]:
        return tuple(_element(item) for item in node.findall(f"{SPACE}{name}"))

    errors = node.findall(f"{SPACE}DefinedExecutionErrors/{SPACE}Identifier")
    return SilaCommand(
        _text(node, "Identifier"),
        _observable(node),
        elements("Parameter"),
        elements("Response"),
        elements("IntermediateResponse"),
        tuple((item.text or "").strip() for item in errors),
        _words(node),
    )


def _type_of(node: ElementTree.Element) -> SilaType:
    """The type that the node's DataType holds."""
    holder = node.find(f"{SPACE}DataType")
    inner = next(iter(holder), None) if holder is not None else None
    if inner is None:
        raise InputError(f"{node.tag.removeprefix(SPACE)} has no data type", remedy="Ask the server's maker.")
    kind = inner.tag.removeprefix(SPACE)
    if kind == "Basic" and (inner.text or "").strip() in BASIC:
        return SilaType(basic=(inner.text or "").strip())
    if kind == "List":
        return SilaType(items=_type_of(inner))
    if kind == "Structure":
        return SilaType(elements=tuple(_element(item) for item in inner.findall(f"{SPACE}Element")))
    if kind == "DataTypeIdentifier":
        return SilaType(named=(inner.text or "").strip())
    if kind == "Constrained":
        return _constrained(inner)
    raise InputError(f"the data type {kind} {inner.text or ''} is none of SiLA 2", remedy="Ask the server's maker.")


def _constrained(node: ElementTree.Element) -> SilaType:
    """The type without its constraints, but with its unit and its limits."""
    base, held = _type_of(node), f"{SPACE}Constraints/{SPACE}"
    limits = {name: (node.findtext(f"{held}{name}") or "").strip() for name in ("MinimalInclusive", "MaximalInclusive")}
    return SilaType(
        base.basic,
        base.named,
        base.items,
        base.elements,
        (node.findtext(f"{held}Unit/{SPACE}Label") or base.unit).strip(),
        limits["MinimalInclusive"] or base.lowest,
        limits["MaximalInclusive"] or base.highest,
    )
