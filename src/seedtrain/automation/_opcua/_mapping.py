"""The mapping file: which node of a server is which function of which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from seedtrain.automation._mapping_file import Entry, InterlockEntry, MappingFile, SafeEntry, UnitText
from seedtrain.automation._security import Security
from seedtrain.base import load, parse_document, validate

_NODE: Final = re.compile(r"(ns=\d+;|nsu=[^;]+;)?[isgb]=.+")
_ORIGINS: Final = ("measured", "simulated")


def _node(text: object) -> object:
    if not isinstance(text, str) or not _NODE.fullmatch(text):
        raise ValueError(
            f"{text!r} is no node id | Write it as `s=tank/temperature` or with its namespace: `nsu=urn:x;i=42`."
        )
    return text


def _origin(text: object) -> object:
    return text if text in _ORIGINS else _node(text)


def _url(text: object) -> object:
    if not str(text).startswith("opc.tcp://"):
        raise ValueError(f"{text!r} is no OPC UA address | Write it as opc.tcp://host:4840/path.")
    return text


NodeText = Annotated[str, BeforeValidator(_node)]


class FunctionEntry(Entry):
    """A function: node of its current value, node of its target value if it is a controller, and its unit."""

    current: NodeText
    target: NodeText | None = None
    unit: UnitText = ""


class ProgramEntry(Entry):
    """The program manager: the object, its methods, and the sets of its templates and results.

    - `active`: the node that says which program runs, where the server has one.
    """

    object: NodeText
    prepare: NodeText
    start: NodeText
    hold: NodeText
    abort: NodeText
    sample: NodeText
    templates: NodeText
    results: NodeText
    active: NodeText | None = None


class LadsEntry(Entry):
    """Programs driven by the methods of LADS: the state machine with `start` (StartProgram), `abort` and `stop`, the
    machine `running` within it with `hold` and `unhold`, and the sets of templates and results.

    - `programs`: the name or id of the template that a phase is, by the phase's path; else it is named as the phase.
    """

    machine: NodeText
    start: NodeText
    abort: NodeText
    templates: NodeText
    results: NodeText
    stop: NodeText | None = None
    running: NodeText | None = None
    hold: NodeText | None = None
    unhold: NodeText | None = None
    active: NodeText | None = None
    programs: dict[str, str] = Field(default_factory=dict)


def _one_of_both(program: ProgramEntry | None, info: ValidationInfo) -> ProgramEntry | None:
    lads = info.data.get("lads")
    if program is not None and lads is not None:
        raise ValueError("'program' and 'lads' are both given | Name the methods of one.")
    if program is None and lads is None and "lads" in info.data:
        raise ValueError("'program' is missing | Name its methods, or those of LADS under `lads`.")
    return program


class UnitEntry(Entry):
    """A functional unit. `origin` is a node that says measured or simulated, or one of the two words.

    - `state`: a text with a state's name, or the current state of a LADS state machine; `substate` is then that of the
      machine within its state Running, where there is one.
    - `program`: methods of its own, or `lads`: those of the specification.
    """

    manufacturer: NodeText
    model: NodeText
    origin: Annotated[str, BeforeValidator(_origin)]
    state: NodeText
    substate: NodeText | None = None
    lads: LadsEntry | None = None
    program: Annotated[ProgramEntry | None, AfterValidator(_one_of_both)] = Field(default=None, validate_default=True)
    functions: dict[str, FunctionEntry] = Field(default_factory=dict)
    safe: SafeEntry = Field(default_factory=SafeEntry)
    interlocks: list[InterlockEntry] = Field(default_factory=list)


class ClockEntry(Entry):
    """The clock of a simulated plant; a real plant has none."""

    object: NodeText
    time: NodeText
    lock_step: NodeText
    advance: NodeText


class SecurityEntry(Entry):
    """Files of certificates and key, seen from the mapping file; the user's password is in SEEDTRAIN_OPCUA_PASSWORD."""

    certificate: str
    private_key: str
    server_certificate: str
    user: str = ""


class MappingEntry(Entry):
    """The whole file. `namespace` is that of every node id which does not name its own.

    - `people`: units that people run by hand, so that nothing of them is mapped.
    """

    server: Annotated[str, BeforeValidator(_url)]
    namespace: str = ""
    security: SecurityEntry | None = None
    clock: ClockEntry | None = None
    people: list[str] = Field(default_factory=list)
    units: dict[str, UnitEntry] = Field(min_length=1)


@dataclass(frozen=True)
class Mapping(MappingFile[MappingEntry]):
    """The mapping of a server's nodes."""

    @property
    def security(self) -> Security | None:
        """Who we are for the server, and which one we trust."""
        entry = self.entry.security
        if entry is None:
            return None
        folder = self.folder
        return Security(
            folder / entry.certificate, folder / entry.private_key, (folder / entry.server_certificate,), entry.user
        )

    def node(self, text: str) -> str:
        """A node id with its namespace."""
        if text.startswith(("ns=", "nsu=")) or not self.entry.namespace:
            return text
        return f"nsu={self.entry.namespace};{text}"


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file; raises `InputErrors` with every fault and its place."""
    entry, document = load(path, MappingEntry, what="mapping")
    return Mapping(entry, document)


def parse_mapping(text: str, file: str) -> Mapping:
    """`read_mapping` on text; `file` names it in errors."""
    document = parse_document(text, file)
    return Mapping(validate(document, MappingEntry), document)
