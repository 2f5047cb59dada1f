"""The form of a case: one's own batch, or one's own plant, as a YAML file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from seedtrain.development._factors import FactorsFile
from seedtrain.development._use import Growth
from seedtrain.quantity import Measure, Quantity


def _positive(value: object) -> object:
    if isinstance(value, Quantity) and not value.value > 0:
        raise ValueError(f"{value} is not above 0 | Give an amount above 0.")
    return value


def _at_most_all(value: Quantity) -> Quantity:
    if value.magnitude("") > 1:
        raise ValueError(f"{value} is above 100 % | No train makes product.")
    return value


def _not_negative(value: object) -> object:
    if isinstance(value, Quantity) and value.value < 0:
        raise ValueError(f"{value} is negative | Give 0 or more; a credit is a by-product or a line of its own.")
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _signs(self) -> _Strict:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Quantity) and name not in ("latitude",):
                try:
                    _not_negative(value)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        return self


Fraction = Annotated[Quantity, Measure("")]
Hours = Annotated[Quantity, Measure("h")]
Years = Annotated[Quantity, Measure("year")]
Any_ = Annotated[Quantity, Measure(None)]


class ProcessEntry(_Strict):
    """What the culture and the train do: titre at harvest, broth, time, and product released over product in it."""

    titre: Annotated[Quantity, Measure("g/L"), AfterValidator(_positive)]
    broth: Annotated[Quantity, Measure("L"), AfterValidator(_positive)]
    duration: Annotated[Quantity, Measure("h"), AfterValidator(_positive)]
    recovery: Annotated[Quantity, Measure(""), AfterValidator(_positive), AfterValidator(_at_most_all)]
    suite: str = "production"


class UseEntry(_Strict):
    """One amount of a batch; `times` multiplies it by parameters of the factor table, with their powers."""

    item: str
    amount: str
    where: str = "batch"
    grows: Growth = "batch"
    category: str = ""
    times: dict[str, Annotated[int, Field(ge=-3, le=3)]] = {}


class EquipmentEntry(_Strict):
    """A piece of equipment by its size; `count` of them."""

    item: str
    size: str
    where: str = "plant"
    count: int = Field(default=1, ge=1)
    grows: Growth = "batch"


class StepEntry(_Strict):
    """One step of a batch: what it keeps busy, how long, and from when (right after the step before, if not given).

    `cleaner`: what makes its suite ready, a skid that steps may share. `people` and `wait` (how much later than the
    step before ends it may begin) count where batches are placed one by one.
    """

    step: str
    suite: str = ""
    hours: Hours
    turnaround: Literal["vessel", "suite", "none"] = "suite"
    start: Hours | None = None
    units: int = Field(default=1, ge=1)
    cleaner: str = ""
    people: float | None = Field(default=None, ge=0)
    wait: Hours | None = None

    @model_validator(mode="after")
    def _cleaned(self) -> StepEntry:
        if self.cleaner and self.turnaround == "none":
            raise ValueError("cleaner: no turnaround is given for it to clean in | Write turnaround: suite or vessel.")
        return self


class LoanEntry(_Strict):
    """A loan on part of the capital."""

    fraction: Fraction
    interest: Annotated[Quantity, Measure("1/year")]
    years: int = Field(ge=1, le=50)
    deducted: Literal["interest", "payment"] = "interest"


class FinanceEntry(_Strict):
    """The terms of the discounted cash flow; what is not given is as `Finance` has it."""

    rate: Annotated[Quantity, Measure("1/year")] | None = None
    life: int | None = None
    construction: list[Fraction] | None = None
    tax: Fraction | None = None
    depreciation: str | None = None
    working_capital: Fraction | None = None
    startup: Years | None = None
    startup_sales: Fraction | None = None
    startup_fixed: Fraction | None = None
    startup_variable: Fraction | None = None
    loan: LoanEntry | None = None
    upkeep: Annotated[Quantity, Measure("1/year")] | None = None


class ElectricityEntry(_Strict):
    """Own panels and battery beside the grid."""

    photovoltaics: Annotated[Quantity, Measure("kW")]
    storage: Annotated[Quantity, Measure("kWh")] | None = None
    specific_yield: Annotated[Quantity, Measure("kWh/kW")] | None = None
    latitude: float | None = None


class FlowEntry(_Strict):
    """What a plant buys or sells in a year, at its price."""

    amount: Any_
    price: Any_
    source: str = ""


class PartEntry(_Strict):
    """A part of the capital that is written off on a schedule of its own."""

    amount: Any_
    depreciation: str


class AgainEntry(_Strict):
    """Capital that is spent again every `every` years."""

    amount: Any_
    every: int = Field(ge=1)


class VentureEntry(_Strict):
    """A plant by its yearly flows and its capital: for processes that someone else simulated."""

    output: Annotated[Quantity, Measure("kg/year")]
    capital: Any_
    depreciable: Any_ | None = None
    written_apart: list[PartEntry] = []
    replaced: list[AgainEntry] = []
    fixed: dict[str, Any_]
    buys: dict[str, FlowEntry]
    sells: dict[str, FlowEntry] = {}
    source: str = ""


class TargetsEntry(_Strict):
    """What the batch or the plant should reach."""

    cost: Any_ | None = None
    carbon: Annotated[Quantity, Measure("kg CO2e/kg")] | None = None
    amount: Annotated[Quantity, Measure("kg/year")] | None = None


class CaseFile(FactorsFile):
    """The whole of a case: prices and factors of its own as in a factors file, and either a batch or a plant."""

    factors: str = ""
    gwp: str = ""
    case: str = Field(min_length=1)
    process: ProcessEntry | None = None
    released: Annotated[Quantity, Measure("kg")] | None = None
    uses: list[UseEntry] = Field(default_factory=list)
    equipment: list[EquipmentEntry] = Field(default_factory=list)
    steps: list[StepEntry] = Field(default_factory=list)
    lead_time: Hours | None = None
    electricity: ElectricityEntry | None = None
    venture: VentureEntry | None = None
    finance: FinanceEntry = FinanceEntry()
    targets: TargetsEntry = TargetsEntry()


__all__ = ["CaseFile", "FinanceEntry", "ProcessEntry", "StepEntry", "VentureEntry"]
