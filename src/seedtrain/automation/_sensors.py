"""The instruments of the stand-in: what each reports, how noisy and how late, and the analysers of its laboratory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import digest

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sensor:
    """A kind of instrument.

    - `noise`: standard deviation of one reading, in `unit`; `relative`: the same as a part of the value.
    - `delay`: h by which the reading is behind (first-order response, far shorter than a reading interval).
    - `lowest`: the least that it can show, in `unit`, or None.
    - `symbol`: the variable of a culture's `Run` that it sees, or empty.
    - `status`, `source`: where noise and delay come from.
    """

    tag: str
    unit: str
    noise: float
    relative: float = 0.0
    delay: float = 0.0
    lowest: float | None = 0.0
    symbol: str = ""
    status: str = "assumed"
    source: str = "assumed: usual repeatability of a plant instrument of this kind"

    def read(self, times: Floats, truth: Floats, at: Floats, draws: Floats) -> Floats:
        """What it shows at `at` (h), for a `truth` given at `times` (h); `draws` are standard normal, shape of `at`."""
        seen = np.interp(at - self.delay, times, truth)
        shown = seen + draws * (self.noise + self.relative * np.abs(seen))
        return shown if self.lowest is None else np.maximum(shown, self.lowest)


_PT100 = "assumed: within the tolerance of class A, 0.15 K + 0.002 |t|, of IEC 60751"

CULTURE_SENSORS: Final = {
    item.tag: item
    for item in (
        Sensor("temperature", "degC", 0.05, delay=0.008, lowest=None, symbol="T", source=_PT100),
        Sensor("pH", "", 0.015, delay=0.008, lowest=None, symbol="pH"),
        Sensor("dissolved_oxygen", "%", 0.5, delay=0.008, symbol="DO_percent"),
        Sensor("stirrer_speed", "1/min", 0.5, symbol="N"),
        Sensor("aeration", "vvm", 0.0, relative=0.005),
        Sensor("head_pressure", "bar", 0.002),
        Sensor("broth_volume", "L", 0.0, relative=0.001, symbol="V"),
        Sensor("feed_rate", "L/h", 0.0, relative=0.003, symbol="F"),
        Sensor("OUR", "mmol/L/h", 0.1, relative=0.01, delay=0.03, symbol="OUR"),
        Sensor("CER", "mmol/L/h", 0.1, relative=0.01, delay=0.03, symbol="CER"),
        Sensor("biomass", "g/L", 0.05, relative=0.02, symbol="DCW"),
        Sensor("glucose", "g/L", 0.02, relative=0.02, delay=0.05, symbol="S"),
    )
}
"""What a stirred vessel reports: `biomass` (dry, with product) by capacitance, `glucose` at line, gases off-gas."""

GAS_SENSORS: Final = {
    item.tag: item
    for item in (
        Sensor("oxygen_share", "%", 0.0, relative=0.005, symbol="O2_share"),
        Sensor("carbon_dioxide_share", "%", 0.0, relative=0.005),
        Sensor(
            "dissolved_carbon_dioxide",
            "mmol/L",
            0.0,
            relative=0.03,
            delay=0.02,
            symbol="C_CO2",
            source="assumed: usual repeatability and response of an in-line pCO2 probe",
        ),
        Sensor("acid_rate", "L/h", 0.0, relative=0.003),
    )
}
"""What a vessel with lines for pure oxygen and carbon dioxide reports beside that: parts of the gas by mass flow
controllers, dissolved CO2 without its bicarbonate."""

FLASK_SENSORS: Final = {tag: CULTURE_SENSORS[tag] for tag in ("temperature", "biomass")}
"""What an incubated shake flask reports: the incubator's temperature and scattered light."""

SKID_SENSORS: Final = {
    item.tag: item
    for item in (
        Sensor("temperature", "degC", 0.05, lowest=None, source=_PT100),
        Sensor("shelf_temperature", "degC", 0.1, lowest=None, source=_PT100),
        Sensor("pH", "", 0.015, lowest=None),
        Sensor("pressure", "bar", 0.0, relative=0.005),
        Sensor("transmembrane_pressure", "bar", 0.0, relative=0.01),
        Sensor("chamber_pressure", "Pa", 0.0, relative=0.02),
        Sensor("velocity", "cm/h", 0.0, relative=0.005),
        Sensor("flux", "L/m2/h", 0.0, relative=0.005),
        Sensor("volumes", "", 0.0, relative=0.002),
        Sensor("conductivity", "mS/cm", 0.0, relative=0.005),
        Sensor("absorbance_214", "", 0.001, relative=0.005),
        Sensor("mass", "mg", 0.0, relative=0.005),
    )
}
"""What the units of purification, drying and filling report. A fill weight is one container's."""

RELATIVE_ASSAY_ERROR: Final[Mapping[str, float]] = {
    "biomass": 0.03,
    "acetate": 0.04,
    "product": 0.03,
    "turbidity": 0.05,
    "endotoxin": 0.20,
    "host_protein": 0.12,
    "detergent": 0.08,
    "residual_moisture": 0.04,
    "bubble_point": 0.01,
    "concentration": 0.02,
}
"""Relative standard deviation of the in-process methods, assumed; a specification's own `assay_cv` goes before it."""

DEFAULT_ASSAY_ERROR: Final = 0.05
"""Relative standard deviation of a method that is not listed, assumed."""


@cache
def _stable(name: str) -> int:
    return int(digest(name)[:8], 16)


def generator(seed: int, path: str, tag: str, purpose: str) -> np.random.Generator:
    """The noise of one tag in one phase: it depends on nothing else, so that the same inputs read the same."""
    return np.random.default_rng([seed, _stable(path), _stable(tag), _stable(purpose)])


def assayed(value: float, unit: str, cv: float, draw: float) -> float:
    """What a method of relative standard deviation `cv` finds for `value`, from one standard normal `draw`.

    A share above one half is found through its complement (what is lost is measured), so that no share passes 100 %.
    """
    largest = {"%": 100.0}.get(unit)
    if largest is not None and largest / 2 < value <= largest:
        return largest - max((largest - value) * (1.0 + cv * draw), 0.0)
    return max(value * (1.0 + cv * draw), 0.0)
