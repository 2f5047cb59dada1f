"""Rule sets as data: what each rule asks for, the clause that it comes from, and how far that clause was read.

A rule set asks for evidence. What the evidence means under a religious, ethical or company rule is decided by the body
that issues the certificate, never here: no rule may state it in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.base import Document, SeedtrainError, collect, digest, load
from seedtrain.quality import ANIMAL_ORIGINS, ORIGINS

FOLDER: Final = Path(__file__).parent / "rules"
RULE_SETS: Final = ("sjph", "has-23000", "oic-smiic", "animal-free", "allergen")
ANY: Final = "any"
ANIMAL: Final = "animal"
_STATUS_WORDS: Final = re.compile(r"halal|haram|kosher|清真", re.IGNORECASE)
T = TypeVar("T")


def _some(value: tuple[T, ...]) -> tuple[T, ...]:
    if not value:
        raise ValueError("the list is empty | Write at least one.")
    return value


def _origin(value: Any) -> Any:
    if value in (*ORIGINS, ANIMAL, ANY):
        return value
    raise ValueError(f"there is no origin {value!r} | Use one of: {', '.join((*ORIGINS, ANIMAL, ANY))}.")


def _own_words(value: Any) -> Any:
    if isinstance(value, str) and _STATUS_WORDS.search(value):
        raise ValueError(
            f"{value!r} states a religious status | Name the standard, and say what evidence the rule asks for."
        )
    return value


Origin = Annotated[str, BeforeValidator(_origin)]
Origins = Annotated[tuple[Origin, ...], AfterValidator(_some)]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AfterValidator(_some)]
OwnWords = Annotated[str, Field(min_length=1), BeforeValidator(_own_words)]


class Rule(BaseModel):
    """What every rule has.

    - `id`: names its criterion. `says`: what it asks for, in words of evidence.
    - `source`: document and clause. `checked`: `text` where the clause itself was read for this rule, `summary` where
      only a summary or a list of contents was, `no` where it is from memory or our own choice.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: OwnWords
    says: OwnWords
    source: Annotated[str, Field(min_length=1)]
    checked: Literal["text", "summary", "no"]
    note: str = ""


class OriginRule(Rule):
    """No ingredient, however deep, of one of these origins; an undeclared one leaves it open."""

    kind: Literal["origin"]
    excludes: Origins


class SubstanceRule(Rule):
    """No ingredient of one of these names; a lot that lists nothing leaves it open."""

    kind: Literal["substance"]
    excludes: Names


class AllergenRule(Rule):
    """No ingredient that declares one of these allergens; one that declares nothing leaves it open."""

    kind: Literal["allergen"]
    excludes: Names


class CertificateRule(Rule):
    """A certificate of one of these schemes for each lot with an ingredient of these origins (`any`: for every lot).

    It must name the lot's material and supplier, be valid on the day of receipt, and not be revoked.
    """

    kind: Literal["certificate"]
    schemes: Names
    origins: Origins


class LineRule(Rule):
    """Equipment that made something of these origins before was cleaned in between by one of these procedures.

    - `cleaning`: procedures that count, as the log of cleaning names them; none: no cleaning does.
    - `conversions`: how often a line may change over from those origins; more is alternating use.
    """

    kind: Literal["line"]
    after: Origins
    cleaning: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    conversions: Annotated[int, Field(ge=0)] = 1


class PointRule(Rule):
    """A critical point that was checked, with a result, on each lot with an ingredient of these origins."""

    kind: Literal["critical_point"]
    point: OwnWords
    origins: Origins


class SpeciesRule(Rule):
    """A test for a species on each lot with an ingredient of these origins, or on the product itself."""

    kind: Literal["species_test"]
    target: Origin
    origins: tuple[Origin, ...] = ()
    product: Literal["yes", "no"] = "no"


class TraceRule(Rule):
    """Everything that went in leads back to a delivery with a supplier."""

    kind: Literal["traceability"]


class HoldRule(Rule):
    """No open hold on the lot, nor on anything that it was made from."""

    kind: Literal["no_hold"]


AnyRule = Annotated[
    OriginRule
    | SubstanceRule
    | AllergenRule
    | CertificateRule
    | LineRule
    | PointRule
    | SpeciesRule
    | TraceRule
    | HoldRule,
    Field(discriminator="kind"),
]


class RuleSetEntry(BaseModel):
    """A rule set's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: OwnWords
    title: OwnWords
    edition: Annotated[str, Field(min_length=1)]
    rules: Annotated[tuple[AnyRule, ...], AfterValidator(_some)]


@dataclass(frozen=True)
class RuleSet:
    """A rule set, its rules in the order of the file."""

    name: str
    title: str
    edition: str
    rules: tuple[AnyRule, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of what it says."""
        return digest(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; `from_data` gives the same back."""
        return RuleSetEntry(name=self.name, title=self.title, edition=self.edition, rules=self.rules).model_dump(
            mode="json"
        )

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> RuleSet:
        """What `to_data` wrote."""
        return _rule_set(RuleSetEntry.model_validate(dict(data)))


def read_rules(name: str) -> RuleSet:
    """One of `RULE_SETS`, or a file of one's own. Raises `InputErrors` with every fault and its place."""
    path = FOLDER / f"{name}.yaml" if name in RULE_SETS else Path(name)
    entry, document = load(path, RuleSetEntry, what=f"rule set (known ones: {', '.join(RULE_SETS)})")
    collect(list(_faults(entry, document)))
    return _rule_set(entry)


def _faults(entry: RuleSetEntry, document: Document) -> Iterator[SeedtrainError]:
    seen: set[str] = set()
    for index, rule in enumerate(entry.rules):
        if rule.id in seen:
            yield document.error(("rules", index, "id"), f"the rule {rule.id!r} stands twice", remedy="Name it anew.")
        seen.add(rule.id)
        if isinstance(rule, SpeciesRule) and rule.product == "no" and not rule.origins:
            yield document.error(
                ("rules", index), "it is not said what is tested", remedy="Give `origins`, or `product: yes`."
            )


def _rule_set(entry: RuleSetEntry) -> RuleSet:
    return RuleSet(entry.name, entry.title, entry.edition, entry.rules)


def matches(origin: str | None, wanted: tuple[str, ...]) -> bool | None:
    """Whether an origin is one of those wanted; None where what was declared does not tell."""
    if ANY in wanted:
        return True
    if origin is None:
        return None
    if origin in wanted or (ANIMAL in wanted and (origin in ANIMAL_ORIGINS or origin == ANIMAL)):
        return True
    return None if origin == ANIMAL and set(wanted) & set(ANIMAL_ORIGINS) else False
