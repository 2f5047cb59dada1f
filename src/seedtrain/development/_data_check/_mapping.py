"""The mapping file: which column of which table is what, in which unit, of which run."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from seedtrain.development._data_check._beginning import Beginning
from seedtrain.development._data_check._clock import moment
from seedtrain.development._data_check._region import Region
from seedtrain.quantity import Measure, Quantity, QuantityError, read_unit

UNITS: Final = {
    "X": "g/L", "S": "g/L", "A": "g/L", "P": "g/L", "M": "g/L", "DCW": "g/L", "DO_percent": "%", "OUR": "mmol/L/h",
    "CER": "mmol/L/h", "OTR": "mmol/L/h", "V": "L", "F": "L/h", "T": "degC", "pH": "", "N": "1/min", "NH": "mmol/L",
    "sample_volume": "L", "mu": "1/h", "gas": "L/min", "O2_out": "%", "CO2_out": "%",
}  # fmt: skip
"""Symbols that have a unit of their own here; species of a culture are in g/L or mmol/L as the culture file says."""
TIME_UNITS: Final = {"h": 1.0, "min": 1 / 60, "s": 1 / 3600, "d": 24.0}
CLOCK: Final = "h:min:s"


def _symbol(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text):
        raise ValueError(f"{text!r} is no symbol | Begin with a letter, then letters, digits or _: X, DCW, DO_percent.")
    return text


Symbol = Annotated[str, AfterValidator(_symbol)]
Kind = Literal["online", "offline", "events", "plate", "spectra", "features"]
Scale = Literal["", "well", "bench", "pilot", "plant"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnEntry(_Entry):
    """One column: its `symbol`, the `unit` that it is written in, and a `factor` to it (an OD's g/L per unit)."""

    column: str
    symbol: Symbol
    unit: str = ""
    factor: float = Field(default=1.0, gt=0)

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: str) -> str:
        try:
            read_unit(unit)
        except QuantityError as error:
            raise ValueError(f"{error} | Write a unit such as g/L, mmol/L/h or %.") from None
        return unit


class TimeEntry(_Entry):
    """The time's column and base; `timestamp` counts from when its run `began`, from `zero`, or from its first row.

    - `format`: how timestamps are written, as strptime has it, where they are not ISO 8601 or 01.03.2026 08:00.
    - `clock`: the column of the time of day, where `column` holds only the day.
    """

    column: str
    clock: str = ""
    unit: Literal["h", "min", "s", "d", "h:min:s", "timestamp"]
    zero: str = ""
    format: str = ""

    @model_validator(mode="after")
    def _whole(self) -> TimeEntry:
        if self.clock and self.unit != "timestamp":
            raise ValueError("`clock` stands with a day in `column`: its unit is timestamp | Write unit: timestamp.")
        return self


class ListEntry(_Entry):
    """A table with a row for each reading: columns of what was measured (`name`), its `value`, and its `unit`."""

    name: str
    value: str
    unit: str = ""


class PlateEntry(_Entry):
    """What the wells of a plate hold: one `symbol`, the `unit` that it is written in, and a `factor` to it."""

    symbol: Symbol
    unit: str = ""
    factor: float = Field(default=1.0, gt=0)


class TableEntry(_Entry):
    """One table: `run` names the column that tells runs apart, `of_run` one run for the whole table.

    - `decimal`: what stands before a number's decimals. - `encoding`: of a text table. - `header`, `first`: lines of
      the names and of the first reading, where they are not the first two of the table.
    - `range`: its cells, such as A2:D14, where the sheet holds more than one table. - `over`: the line above the names
      that heads several columns together: it stands before each name. - `readings`: one reading a row, so that
      `columns` name what was measured.
    - `instrument`: the export is biolector's, pioreactor's, asm, or one that allotropy reads. - `layout`: a file that
      names the run of each well (or other name in `run`). - `event`, `words`: columns of a table of events; one with
      neither `run` nor `of_run` tells of every run. - `plate`: what a table with a column for each well holds.
    - `spectra`: what kind of spectra the rows are (raman, nir); columns that a number heads are channels.
    - `features`: columns of a table with one row a run (omics, images) and no time; all of them if not given.
    """

    file: str
    sheet: str = ""
    instrument: str = ""
    kind: Kind = "offline"
    decimal: Literal[".", ","] = "."
    encoding: Literal["utf-8", "utf-16", "cp1252", "gb18030"] = "utf-8"
    range: str = ""
    header: int = Field(default=0, ge=0)
    over: int = Field(default=0, ge=0)
    first: int = Field(default=0, ge=0)
    run: str = ""
    of_run: str = ""
    layout: str = ""
    time: TimeEntry | None = None
    readings: ListEntry | None = None
    columns: list[ColumnEntry] = Field(default_factory=list)
    plate: PlateEntry | None = None
    spectra: str = "spectra"
    features: list[str] = Field(default_factory=list)
    event: str = ""
    words: str = ""

    @field_validator("range")
    @classmethod
    def _cells(cls, text: str) -> str:
        return str(Region.read(text)) if text else ""

    @model_validator(mode="after")
    def _whole(self) -> TableEntry:
        needs = {"events": ("event", self.event), "plate": ("plate", self.plate)}
        needs |= {"spectra": ("spectra", self.spectra), "features": ("run", self.run)}
        name, given = needs.get(self.kind, ("columns", self.columns))
        if not given:
            raise ValueError(f"a table of kind {self.kind} needs `{name}` | See docs/reference/data.md.")
        if self.kind in ("events", "spectra", "features") and self.columns:
            raise ValueError(f"a table of {self.kind} has no `columns` | Read its columns as another table.")
        if self.over and not self.over < self.header:
            raise ValueError("`over` is a line above `header`, the line of the names | Give both.")
        if self.readings and self.kind not in ("online", "offline"):
            raise ValueError(f"a table of kind {self.kind} is no list of readings | Leave `readings` out.")
        if (self.time is None) != (self.kind == "features"):
            wrong = "needs `time`" if self.time is None else "has no `time`: one row a run"
            raise ValueError(f"a table of kind {self.kind} {wrong} | See docs/reference/data.md.")
        return self

    @property
    def beginning(self) -> Beginning:
        """How it lies in its file."""
        region = Region.read(self.range) if self.range else None
        encoding = "" if self.encoding == "utf-8" else self.encoding
        return Beginning(encoding, self.header, self.first, over=self.over, region=region)


class RunEntry(_Entry):
    """What is known of a run beside its tables. `fed`: g/L of each species in the feed; `initial`: by symbol.

    - `began`: the moment of inoculation, from which the timestamps of every table count. - `set`: what was set
      otherwise than the recipe says, by `PATH:PARAMETER` of the recipe.
    """

    scale: Scale = ""
    began: str = ""
    vessel: str = ""
    feed_factor: float = Field(default=1.0, ge=0)
    initial: dict[str, float] = Field(default_factory=dict)
    fed: dict[str, float] = Field(default_factory=dict)
    set: dict[str, Annotated[Quantity, Measure(None)]] = Field(default_factory=dict)

    @field_validator("began")
    @classmethod
    def _moment(cls, text: str) -> str:
        try:
            if text:
                moment(text)
        except ValueError:
            raise ValueError(f"{text!r} is no timestamp | Write 2026-03-01T08:00.") from None
        return text


class MappingEntry(_Entry):
    """The whole mapping file."""

    data: str = Field(min_length=1)
    origin: Literal["measured", "simulated"] = "measured"
    culture: str = ""
    tables: list[TableEntry] = Field(min_length=1)
    runs: dict[str, RunEntry] = Field(default_factory=dict)
