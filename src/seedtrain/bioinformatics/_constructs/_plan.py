"""The plan of an assembly as YAML: which parts, in which order, joined how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.base import Document, InputError, SeedtrainError, collect, load
from seedtrain.bioinformatics._constructs._ligations import read_counts, shipped_counts, table_name
from seedtrain.bioinformatics._constructs._overhangs import Counts
from seedtrain.bioinformatics._constructs._primers import Conditions, conditions_from
from seedtrain.bioinformatics._constructs._read import parse_dna, read_dna
from seedtrain.bioinformatics._constructs._record import DnaRecord, Strand
from seedtrain.bioinformatics._hosts import PatternText

Method = Literal["gibson", "golden_gate", "restriction"]
Supply = Literal["pcr", "synthesis", "digest"]
SHORTEST_OVERLAP: Final = 15
LONGEST_OVERLAP: Final = 80


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PartEntry(_Entry):
    """One part: a file or letters, which bases of it, on which strand, and how it comes into the tube."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    file: str = ""
    sequence: str = ""
    first: Annotated[int | None, Field(alias="from", ge=1)] = None
    last: Annotated[int | None, Field(alias="to", ge=1)] = None
    strand: Strand = "+"
    supply: Supply = "pcr"
    circular: Annotated[bool | None, BeforeValidator(lambda value: _flag(value))] = None
    overhang: Annotated[PatternText, Field(min_length=3, max_length=4)] | None = None


class PlanEntry(_Entry):
    """The whole file."""

    name: Annotated[str, Field(alias="construct", min_length=1, max_length=80)]
    method: Method
    parts: Annotated[tuple[PartEntry, ...], Field(min_length=1, max_length=30)]
    description: str = ""
    enzymes: tuple[str, ...] = ()
    overlap: Annotated[int, Field(ge=SHORTEST_OVERLAP, le=LONGEST_OVERLAP)] = 30
    primers: Mapping[Literal["melting", "sodium", "magnesium", "dntp", "primer"], float] = Field(default_factory=dict)
    ligations: str = ""


def _flag(value: Any) -> Any:
    words = {"yes": True, "true": True, "no": False, "false": False}
    return words.get(str(value).lower(), value) if isinstance(value, str) else value


@dataclass(frozen=True)
class Part:
    """A part that was read: `record` is the whole file, of which `length` bases from `start` (0-based) are meant."""

    name: str
    record: DnaRecord
    start: int
    length: int
    strand: Strand
    supply: Supply
    overhang: str | None
    position: tuple[str | int, ...]


@dataclass(frozen=True)
class AssemblyPlan:
    """What is to be built.

    - `parts`: in the order of the product, each joined with the next, the last with the first.
    - `enzymes`: of REBASE: one for Golden Gate; one or two for restriction cloning, in front of and behind the insert.
    - `overlap`: bases that neighbours share in a Gibson assembly. `counts`: ligations between overhangs, given or
      published for the enzyme; `ligations`: what the evidence calls their table.
    """

    name: str
    method: Method
    parts: tuple[Part, ...]
    enzymes: tuple[str, ...] = ()
    overlap: int = 30
    conditions: Conditions = field(default_factory=Conditions)
    counts: Counts | None = None
    ligations: str = ""
    description: str = ""
    document: Document | None = None

    def error(self, place: tuple[str | int, ...], message: str, remedy: str) -> InputError:
        """A fault at its place in the file, where there is one."""
        if self.document is None:
            return InputError(message, remedy=remedy)
        return self.document.error(place, message, remedy=remedy)


def read_plan(path: str | Path) -> AssemblyPlan:
    """A plan and the files that it names, beside it; every fault at once, with its place."""
    where = Path(path)
    entry, document = load(where, PlanEntry, what="plan")
    errors: list[SeedtrainError] = []
    parts = [_part(item, number, where.parent, document, errors) for number, item in enumerate(entry.parts)]
    names = [item.name for item in entry.parts]
    for number, name in enumerate(names):
        if name in names[:number]:
            errors.append(document.error(("parts", number, "name"), f"{name!r} stands twice", remedy="Rename one."))
    _check_enzymes(entry, document, errors)
    conditions, counts, ligations, table = Conditions(), None, "", where.parent / entry.ligations
    try:
        conditions = conditions_from({str(name): value for name, value in entry.primers.items()})
        counts, ligations = (read_counts(table), table_name(table)) if entry.ligations else _published(entry)
    except SeedtrainError as error:
        errors.append(error)
    collect(errors)
    return AssemblyPlan(
        name=entry.name,
        method=entry.method,
        parts=tuple(item for item in parts if item is not None),
        enzymes=entry.enzymes,
        overlap=entry.overlap,
        conditions=conditions,
        counts=counts,
        ligations=ligations,
        description=entry.description,
        document=document,
    )


def _published(entry: PlanEntry) -> tuple[Counts | None, str]:
    """The ligations that ship for a Golden Gate's enzyme, where it was measured."""
    wanted = entry.method == "golden_gate" and len(entry.enzymes) == 1
    return (wanted and shipped_counts(entry.enzymes[0])) or (None, "")


def _check_enzymes(entry: PlanEntry, document: Document, errors: list[SeedtrainError]) -> None:
    wanted = {"gibson": (0, 0), "golden_gate": (1, 1), "restriction": (1, 2)}[entry.method]
    if not wanted[0] <= len(entry.enzymes) <= wanted[1]:
        words = f"{entry.method} with {len(entry.enzymes)} enzymes"
        remedy = f"Name {wanted[0]} to {wanted[1]} enzymes." if wanted[1] else "Leave the enzymes out."
        errors.append(document.error(("enzymes",), words, remedy=remedy))
    for number, name in enumerate(entry.enzymes):
        try:
            enzyme(name)
        except SeedtrainError as error:
            part = error.parts[0]
            errors.append(document.error(("enzymes", number), part.message, remedy=part.remedy))


def enzyme(name: str) -> Any:
    """The restriction enzyme of that name in Biopython's copy of REBASE; `InputError` for another."""
    from Bio import Restriction

    known: Any = vars(Restriction)["AllEnzymes"]
    found = next((item for item in known if str(item) == name), None)
    if found is None:
        raise InputError(f"there is no restriction enzyme {name!r}", remedy="Use a name of REBASE, such as BsaI.")
    if not found.is_unknown() and found.cut_once():
        return found
    raise InputError(f"{name} cuts at no place, or at two, that are known", remedy="Use another enzyme.")


def _part(item: PartEntry, number: int, folder: Path, document: Document, errors: list[SeedtrainError]) -> Part | None:
    place: tuple[str | int, ...] = ("parts", number)
    if bool(item.file) == bool(item.sequence):
        errors.append(document.error(place, "a part has a file or a sequence, one of them", remedy="Give one."))
        return None
    try:
        if item.file:
            record = read_dna(folder / item.file, circular=item.circular)
        else:
            text = f">{item.name}\n{item.sequence}\n"
            record = parse_dna(text, f"{document.file}, part {item.name}", circular=item.circular)
    except SeedtrainError as error:
        errors.append(error)
        return None
    size = len(record)
    first, last = item.first or 1, item.last or size
    if first > size or last > size or (last < first and not record.circular):
        shape = "a circle" if record.circular else "a line"
        words = f"bases {first} to {last} of {record.name}, which is {shape} of {size}"
        remedy = "Give two places inside it, the lower first unless it is a circle (circular: yes)."
        errors.append(document.error(place, words, remedy=remedy))
        return None
    length = (last - first) % size + 1 if record.circular else last - first + 1
    return Part(item.name, record, first - 1, length, item.strand, item.supply, item.overhang, place)
