"""Testing plans of banks as data: which tests on which tier, within which limits, and where that is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from seedtrain.base import InputErrors, digest, load
from seedtrain.quality import Specification, SpecificationEntry

FOLDER: Final = Path(__file__).parent / "plans"
PLANS: Final = ("cell", "microbial", "vector")
Level = Literal["research", "master", "working", "end_of_production"]


T = TypeVar("T")


def _some(value: tuple[T, ...]) -> tuple[T, ...]:
    # Not min_length: it would complain again wherever an entry inside is at fault.
    if not value:
        raise ValueError("the list is empty | Write at least one.")
    return value


class PlanTest(SpecificationEntry):
    """One test: attribute, method and limit, on which levels, and its source.

    - `on`: tiers, or `end_of_production`: cells at the limit of in vitro age, whose results count for the bank from
      which they were grown.
    - `checked`: whether the source's text was read for this line; `no`: it is from memory, or a customary choice.
    - `required`: `no` for a test that depends on the cell line; it counts only where a result is recorded.
    """

    on: Annotated[tuple[Level, ...], AfterValidator(_some)]
    source: Annotated[str, Field(min_length=1)]
    checked: Literal["yes", "no"]
    required: Literal["yes", "no"] = "yes"


class PlanEntry(BaseModel):
    """A plan's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]
    tests: Annotated[tuple[PlanTest, ...], AfterValidator(_some)]


@dataclass(frozen=True)
class Plan:
    """A testing plan: its tests in the order of the file."""

    name: str
    title: str
    tests: tuple[PlanTest, ...]

    def at(self, level: str) -> tuple[PlanTest, ...]:
        """The tests on one level."""
        return tuple(test for test in self.tests if level in test.on)

    def specification(self, level: str, found: frozenset[str] = frozenset()) -> Specification:
        """What is tested on `level`: the required tests, and those not required for which there are results."""
        return Specification(
            tuple(test.line() for test in self.at(level) if test.required == "yes" or test.attribute in found)
        )

    def to_data(self) -> dict[str, Any]:
        """JSON-ready, as `bank.created` holds it; `from_data` gives the same back."""
        tests = [
            {
                "attribute": test.attribute,
                "method": test.method,
                "limit": test.limit.text,
                "on": list(test.on),
                "source": test.source,
                "checked": test.checked,
                "required": test.required,
                "note": test.note,
            }
            for test in self.tests
        ]
        data = {"name": self.name, "title": self.title, "tests": tests}
        return {**data, "digest": digest(data)}

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Plan:
        """What `to_data` wrote; an empty mapping is a plan without tests."""
        return Plan(
            str(data.get("name", "")),
            str(data.get("title", "")),
            tuple(PlanTest.model_validate(dict(test)) for test in data.get("tests", ())),
        )


def read_plan(name: str) -> Plan:
    """One of `PLANS`, or a file of one's own. Raises `InputErrors` with every fault and its place."""
    path = FOLDER / f"{name}.yaml" if name in PLANS else Path(name)
    entry, document = load(path, PlanEntry, what=f"testing plan (known ones: {', '.join(PLANS)})")
    twice = [
        document.error(("tests", index, "attribute"), "this attribute stands twice", remedy="Name it once.")
        for index, test in enumerate(entry.tests)
        if test.attribute in {earlier.attribute for earlier in entry.tests[:index]}
    ]
    if twice:
        raise InputErrors(tuple(twice))
    return Plan(entry.name, entry.title, entry.tests)
