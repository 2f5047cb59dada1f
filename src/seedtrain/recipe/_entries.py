"""The recipe's file as pydantic models: its keys and the types of what stands alone.

What depends on the phase kind (`set`, `limits`, `sample`) arrives as text and is read in `_check`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator

from seedtrain.quantity import Measure, Quantity, QuantityError
from seedtrain.recipe._kinds import CONDITION_UNITS, choose, read_number
from seedtrain.recipe._phase import Condition

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,79}")
_CONDITION: Final = re.compile(r"([A-Za-z_]+)\s*(>=|<=|==|=|>|<)\s*(.+)", re.DOTALL)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a name | "
            "Write letters, digits, '-', '_', '.' or '+', beginning with a letter or a digit, 80 at most."
        )
    return text


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("a text is wanted here | Write it, or remove the key.")
    return text.strip()


def _truth(value: Any) -> bool:
    if value not in ("true", "false"):
        raise ValueError(f"{value!r} is neither true nor false | Write true or false.")
    return bool(value == "true")


def _holds(value: Any) -> str:
    if value != "batch":
        raise ValueError(f"{value!r} is not what a hold can hold beside its unit | Write batch, or remove the key.")
    return "batch"


def _positive(value: Quantity) -> Quantity:
    if value.value <= 0:
        raise ValueError(f"{value} is not above 0 | Give a value above 0 {value.unit}.")
    return value


def _concentration(value: Quantity) -> Quantity:
    if value.value < 0:
        raise ValueError(f"{value} is negative | Give a concentration of 0 g/L or more.")
    return value


def parse_condition(text: Any) -> Condition:
    """The transition that `text` writes; raises `ValueError("what is wrong | remedy")`."""
    if not isinstance(text, str):
        raise ValueError("a condition is wanted here | Write, for instance, 'biomass >= 22 g/L'.")
    words = text.split()
    if words[:1] == ["signature"]:
        if len(words) != 2 or not _NAME.fullmatch(words[1]):
            raise ValueError(f"{text!r} does not say who signs | Write 'signature' and one role: 'signature reviewer'.")
        return Condition("signature", "by", words[1])
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a condition | Write, for instance, 'biomass >= 22 g/L'.")
    quantity, operator, value = found.groups()
    if quantity not in CONDITION_UNITS:
        raise ValueError(f"{quantity!r} cannot end a phase | {choose(quantity, (*CONDITION_UNITS, 'signature'))}")
    if operator not in (">=", "<="):
        raise ValueError(f"the operator {operator!r} is not known here | Use >= or <=.")
    if quantity == "elapsed" and operator == "<=":
        raise ValueError("'elapsed <=' holds from the start | Write 'elapsed >='.")
    try:
        number = read_number(value, CONDITION_UNITS[quantity])
    except QuantityError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None
    if quantity != "temperature" and number.value < 0:
        raise ValueError(f"{number} is negative | Give a value of 0 or more.")
    return Condition(quantity, operator, number)


def _places(value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]", value):
        raise ValueError(f"{value!r} is no number of decimal places | Write a whole number from 0 to 9.")
    return int(value)


Places = Annotated[int, PlainValidator(_places)]
Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, AfterValidator(_text)]
Truth = Annotated[bool, PlainValidator(_truth)]
Time = Annotated[Quantity, Measure("h"), AfterValidator(_positive)]
Volume = Annotated[Quantity, Measure("L"), AfterValidator(_positive)]
Concentration = Annotated[Quantity, Measure("g/L"), AfterValidator(_concentration)]
Holds = Annotated[str, PlainValidator(_holds)]
Until = Annotated[Condition, PlainValidator(parse_condition)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class _BandsEntry(_Entry):
    """The four limits of a value; they are read in `_check_manual`, which knows its unit."""

    alert: str | None = None
    action: str | None = None
    proven: str | None = None
    specification: str | None = None


class ManualEntryEntry(_BandsEntry):
    """A value that a person enters."""

    unit: str = ""
    text: Truth = False
    choices: list[Text] = []
    accept: list[Text] = []
    instrument: Name | None = None
    instruction: Text = ""


class CalculationEntry(_BandsEntry):
    """A value that is calculated."""

    formula: Text
    unit: str = ""
    places: Places | None = None
    inputs: dict[Name, Text] = {}


class YieldEntry(_BandsEntry):
    """An actual over a theoretical yield."""

    actual: Text
    unit: str = ""
    theoretical: Text
    places: Places | None = None
    inputs: dict[Name, Text] = {}


class ReconciliationEntry(_BandsEntry):
    """What of a material is accounted for."""

    accounted: Text
    unit: str = ""
    places: Places | None = None
    inputs: dict[Name, Text] = {}


class DispensingEntry(_Entry):
    """An amount of a material with its tolerance."""

    amount: Text
    tolerance: Text


class PhaseEntry(_Entry):
    """One phase."""

    phase: Name
    do: str
    set: dict[Name, str] = {}
    until: Until | None = None
    at_most: Time | None = None
    duration: Time | None = None
    limits: dict[Name, str] = {}
    sample: dict[Name, str] = {}
    instruction: Text = ""
    second_person: Truth = False
    automatic_restart: Truth = False
    hold_point: Text = ""
    hold_time: Time | None = None
    course: Text = ""
    equipment: list[Name] = []
    clear: Name | None = None
    dispense: dict[Name, DispensingEntry] = {}
    entries: dict[Name, ManualEntryEntry] = {}
    calculate: dict[Name, CalculationEntry] = {}
    yields: dict[Name, YieldEntry] = {}
    reconcile: dict[Name, ReconciliationEntry] = {}


class OperationEntry(_Entry):
    """One operation."""

    operation: Name
    after: list[Text] = []
    phases: list[PhaseEntry] = Field(min_length=1)


class UnitProcedureEntry(_Entry):
    """One unit procedure."""

    unit_procedure: Name
    unit_class: Name
    unit: Name | None = None
    repeat: Text = ""
    after: list[Text] | None = None
    holds: Holds = ""
    operations: list[OperationEntry] = Field(min_length=1)


class BasisEntry(_Entry):
    """What the recipe's amounts are written for."""

    unit: Name
    volume: Volume


class MaterialEntry(_Entry):
    """A prepared material of the formula."""

    composition: dict[Name, Concentration] = Field(min_length=1)


class StrategyEntry(_Entry):
    """One line of the control strategy; its range is read in `_check`, which knows the parameter."""

    attribute: Name
    at: Text
    parameter: Name
    range: str
    detector: Text
    sample: Text
    action: Text


class RecipeEntry(_Entry):
    """The whole file; the lines of the specification are read by `quality`."""

    recipe: Name
    title: Text
    version: Text
    product: Text
    culture: Text
    basis: BasisEntry
    materials: dict[Name, MaterialEntry] = {}
    procedure: list[UnitProcedureEntry] = Field(min_length=1)
    control_strategy: list[StrategyEntry] = []
    specification: list[Any] = []
