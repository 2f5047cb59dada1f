"""The mapping file of devices that offer tags: which tag is which function of which unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from seedtrain.automation._devices import Origin
from seedtrain.automation._mapping_file import Entry, InterlockEntry, MappingFile, SafeEntry, UnitText
from seedtrain.automation._protocols._access import Access
from seedtrain.automation._protocols._address import Address, parse_address
from seedtrain.base import InputError, load, parse_document, validate
from seedtrain.quantity import Measure, Quantity

TAG_SCHEMES: Final = ("mqtt", "mqtts", "modbus", "sila")
"""Schemes whose mapping always names tags; that of `opc.tcp` does where its units run no programs."""
OPC_UA: Final = "opc.tcp"
NODE_KEYS: Final = frozenset(("manufacturer", "model", "state", "substate", "lads"))
"""What a mapping of OPC UA nodes says of a unit, and one of tags does not."""


def _server(text: object) -> object:
    try:
        parse_address(str(text), schemes=(*TAG_SCHEMES, OPC_UA))
    except InputError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None
    return text


class TagFunction(Entry):
    """A function: tag of its current value, tag of its target if it is a controller, and its unit."""

    current: str
    target: str | None = None
    unit: UnitText = ""


class TagAmount(Entry):
    """A tag that holds an amount or a concentration, in `unit`."""

    tag: str
    unit: UnitText


class TagProgram(Entry):
    """Tags of a device that runs phases by itself: `name` takes the phase's path, `command` start, hold or abort.

    - `state`: its ISA-88 state as a word. `refusal`: why the last command was refused, empty where it was not.
    - `stopped`, `ended_by`: when the last phase ended, and by what.
    - `rest`: the word that commands nothing, written before each command; empty for a device that has none.
    - `ready`: when the unit can take the phase whose name was written, such as after a changeover.
    """

    name: str
    command: str
    state: str
    refusal: str = ""
    stopped: str = ""
    ended_by: str = ""
    rest: str = "none"
    ready: str = ""


class TagSafeEntry(SafeEntry):
    """`program`: the program of the device that brings it to its safe state and keeps it there."""

    program: str = ""


class TagUnitEntry(Entry):
    """A functional unit. Without a `program` the executor itself keeps set points, transitions and times.

    - `totalisers`: what has gone in of each material of the recipe; `outlets`: what has come out, by name. Both count
      on, and a phase has what they count during it.
    - `samples`: what an analyser finds in the sample at the end of a phase, by attribute.
    - `owner`: the tag that holds who drives the unit, a text, empty for nobody: one executor keeps the others away.
    """

    origin: Origin | None = None
    program: TagProgram | None = None
    functions: dict[str, TagFunction] = Field(default_factory=dict)
    totalisers: dict[str, TagAmount] = Field(default_factory=dict)
    outlets: dict[str, TagAmount] = Field(default_factory=dict)
    samples: dict[str, TagAmount] = Field(default_factory=dict)
    owner: str = ""
    safe: TagSafeEntry = Field(default_factory=TagSafeEntry)
    interlocks: list[InterlockEntry] = Field(default_factory=list)


class TagSecurity(Entry):
    """Files seen from the mapping file; the user's password comes from the environment."""

    authority: str = ""
    certificate: str = ""
    private_key: str = ""
    user: str = ""


class TagMappingEntry(Entry):
    """The whole file.

    - `registers`: the register map of a Modbus device, seen from this file. `host`: our id as Sparkplug host
      application, by whose STATE a plant knows that somebody drives it.
    - `namespace`: over OPC UA, that of every node id which does not name its own.
    - `clock`: tag of a simulated plant's process time. `poll`: how often tags are read, in real time.
    - `people`: units that people run by hand, so that nothing of them is mapped.
    """

    server: Annotated[str, BeforeValidator(_server)]
    namespace: str = ""
    registers: str = ""
    host: str = "seedtrain"
    clock: str = ""
    poll: Annotated[Quantity, Measure("s")] = Quantity(1.0, "s")
    security: TagSecurity | None = None
    people: list[str] = Field(default_factory=list)
    units: dict[str, TagUnitEntry] = Field(min_length=1)


@dataclass(frozen=True)
class TagMapping(MappingFile[TagMappingEntry]):
    """The mapping of a device's tags."""

    @property
    def address(self) -> Address:
        """Where the device is."""
        return parse_address(self.entry.server, schemes=(*TAG_SCHEMES, OPC_UA))

    def node(self, text: str) -> str:
        """Over OPC UA: a tag's node id with its namespace."""
        bare = text.startswith(("ns=", "nsu=")) or not self.entry.namespace
        return text if bare else f"nsu={self.entry.namespace};{text}"

    @property
    def poll(self) -> timedelta:
        """Real time between two readings."""
        return timedelta(seconds=self.entry.poll.magnitude("s"))

    @property
    def access(self) -> Access:
        """Who we are for the device, and which one we trust."""
        entry = self.entry.security or TagSecurity()

        def file(name: str) -> Path | None:
            return self.folder / name if name else None

        return Access(file(entry.authority), file(entry.certificate), file(entry.private_key), entry.user)


def names_tags(data: object) -> bool:
    """Whether what an OPC UA mapping says of its units is what one of tags says."""
    units = data.get("units") if isinstance(data, dict) else None
    entries = [item for item in units.values() if isinstance(item, dict)] if isinstance(units, dict) else []
    programs = [item.get("program") for item in entries]
    own = any(isinstance(item, dict) and "object" in item for item in programs)
    return bool(entries) and not own and not any(NODE_KEYS & set(item) for item in entries)


def read_tag_mapping(path: Path) -> TagMapping:
    """Read a mapping file; raises `InputErrors` with every fault and its place."""
    entry, document = load(path, TagMappingEntry, what="mapping")
    return TagMapping(entry, document)


def parse_tag_mapping(text: str, file: str) -> TagMapping:
    """`read_tag_mapping` on text; `file` names it in errors."""
    document = parse_document(text, file)
    return TagMapping(validate(document, TagMappingEntry), document)
