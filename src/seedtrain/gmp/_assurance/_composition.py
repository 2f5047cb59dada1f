"""What is inside a material, down to where it comes from: a tree, because peptones, resins and stearates have insides.

A supplier's declaration is recorded once for a material of a supplier; every lot of it is judged by it, and by what
the lot's own receipt states. What nobody declared is unknown, never absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.base import digest, load
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._standing import Standing
from seedtrain.quality import ORIGINS, Lot
from seedtrain.record import Draft, Event, Ledger, append_signed

DECIDE: Final = "assurance.decide"
DECLARED: Final = "assurance.composition_declared"
DEEPEST: Final = 20
_UNSPECIFIC: Final = "animal"


def _origin(value: Any) -> Any:
    if value is None or value in (*ORIGINS, _UNSPECIFIC):
        return value
    raise ValueError(f"there is no origin {value!r} | Use one of: {', '.join(ORIGINS)}; leave it out if not known.")


def _some(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise ValueError("the list is empty | Write what is inside.")
    return value


class PartEntry(BaseModel):
    """One part of a composition's file; `allergens: []` declares that there are none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    origin: Annotated[str | None, BeforeValidator(_origin)] = None
    allergens: tuple[str, ...] | None = None
    contains: tuple[PartEntry, ...] = ()


class CompositionEntry(BaseModel):
    """A composition's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    material: Annotated[str, Field(min_length=1)]
    supplier: Annotated[str, Field(min_length=1)]
    document: str = ""
    contains: Annotated[tuple[PartEntry, ...], AfterValidator(_some)]


@dataclass(frozen=True)
class Part:
    """Something inside something: its origin (None: not declared), its allergens (None: not declared), its own parts.

    - `path`: how it is reached: "L-7: capsule shell > gelatine".
    """

    path: str
    name: str
    origin: str | None
    allergens: tuple[str, ...] | None
    contains: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Leaf:
    """An ingredient as the rules see it: of which lot and material, and what is declared of it."""

    lot: str
    material: str
    part: Part

    @property
    def words(self) -> str:
        """Where it is."""
        return self.part.path


def declare_composition(ledger: Ledger, file: Path, actor: str, *, at: datetime | None = None) -> tuple[Event, ...]:
    """Record a supplier's declaration of what is in a material, from its file; the last one counts. Signed.

    Raises `InputErrors` with every fault of the file and its place.
    """
    authorise(ledger, actor, DECIDE)
    entry, _document = load(file, CompositionEntry, what="composition")
    payload = entry.model_dump(mode="json")
    key = [DECLARED, payload, sum(1 for _event in ledger.events(subject=entry.material, type=DECLARED))]
    if _last(ledger, entry.material, entry.supplier) == payload:
        return ()
    return append_signed(
        ledger, Draft(DECLARED, entry.material, payload, actor, at, id=digest(key)[:32]), "composition declared"
    )


def _last(ledger: Ledger, material: str, supplier: str) -> Mapping[str, Any] | None:
    """The last signed declaration of a material of a supplier; of any one where no supplier is asked for."""
    standing = Standing(ledger)
    found = [
        event.payload
        for event in ledger.events(subject=material, type=DECLARED)
        if (not supplier or alike(str(event.payload["supplier"]), supplier)) and standing.counts(event, DECIDE)
    ]
    return found[-1] if found else None


def alike(one: str, other: str) -> bool:
    """Whether two names of materials or suppliers read alike."""
    return key_of(one) == key_of(other)


def key_of(name: str) -> str:
    """A name as it is compared: blanks and case do not count."""
    return " ".join(name.casefold().split())


def leaves(ledger: Ledger, lot: Lot) -> tuple[Leaf, ...]:
    """Every ingredient of a received lot: what its receipt states, and what the supplier's declaration says beneath.

    A part that states an origin and has parts of its own counts itself and its parts. A lot of which neither says
    anything is one unknown ingredient.
    """
    return tuple(Leaf(lot.id, lot.material, part) for part in _flat(_parts(ledger, lot)))


def _parts(ledger: Ledger, lot: Lot) -> Iterator[Part]:
    declared = _last(ledger, lot.material, lot.supplier)
    named: set[str] = set()
    if declared is not None:
        for part in declared["contains"]:
            named.add(key_of(str(part["name"])))
            yield _tree(ledger, part, lot.id, (key_of(lot.material),))
    for item in lot.contains:
        stated = {"name": item.name, "origin": item.origin}
        if declared is None or item.origin is not None or key_of(item.name) not in named:
            yield _tree(ledger, stated, lot.id, (key_of(lot.material),))
    if declared is None and not lot.contains:
        yield Part(f"{lot.id}: {lot.material}", lot.material, None, None)


def _tree(ledger: Ledger, part: Mapping[str, Any], path: str, above: tuple[str, ...]) -> Part:
    name = str(part["name"])
    here = f"{path}{':' if len(above) == 1 else ' >'} {name}"
    inner = part.get("contains") or ()
    if not inner and key_of(name) not in above and len(above) < DEEPEST:
        beneath = _last(ledger, name, "")
        inner = beneath["contains"] if beneath is not None else ()
    deeper = (*above, key_of(name))
    allergens = part.get("allergens")
    return Part(
        here,
        name,
        part.get("origin"),
        None if allergens is None else tuple(allergens),
        tuple(_tree(ledger, item, here, deeper) for item in inner) if len(above) < DEEPEST else (),
    )


def _flat(parts: Iterator[Part] | tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        if not part.contains or part.origin is not None:
            yield part
        yield from _flat(part.contains)
