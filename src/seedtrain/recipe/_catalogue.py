"""The catalogue of phase kinds, as data: what each `do` takes, in which dimension and within which bounds.

The bounds are not process limits. They catch what cannot be meant (a pH of 70, a negative volume); a product's own
ranges stand in its recipe under `limits` and `control_strategy`. All are assumed, chosen wide by engineering judgement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from seedtrain.recipe._kinds import CHOICE, MATERIAL, WORD, ParameterKind, PhaseKind


def _number(
    name: str, unit: str, lowest: float, highest: float, words: str, *, required: bool = False, above: bool = False
) -> ParameterKind:
    return ParameterKind(name, unit, words, required, "intensive", lowest, highest, above)


def _amount(name: str, unit: str, highest: float, words: str, *, required: bool = False) -> ParameterKind:
    return ParameterKind(name, unit, words, required, "extensive", 0.0, highest, above=True)


def _flow(name: str, unit: str, highest: float, words: str) -> ParameterKind:
    return ParameterKind(name, unit, words, False, "extensive", 0.0, highest)


def _material(words: str) -> ParameterKind:
    return ParameterKind("material", MATERIAL, words, required=True)


def _stored(name: str, words: str) -> ParameterKind:
    return ParameterKind(name, WORD, words, required=True)


def _ramps(*kinds: ParameterKind) -> tuple[ParameterKind, ...]:
    """For each set point one parameter for where its ramp begins, and one for where it ends."""
    begins = tuple(replace(kind, name=f"initial_{kind.name}", words="where its ramp begins") for kind in kinds)
    return (*begins, *(replace(kind, words="where its ramp ends") for kind in kinds))


def _choice(name: str, choices: tuple[str, ...], words: str) -> ParameterKind:
    return ParameterKind(name, CHOICE, words, choices=choices)


def _kind(
    name: str,
    words: str,
    *parameters: ParameterKind,
    monitored: Mapping[str, str] | None = None,
    one_of: tuple[tuple[str, ...], ...] = (),
    any_of: tuple[tuple[str, ...], ...] = (),
    together: tuple[tuple[str, ...], ...] = (),
    end: Literal["amount", "timed", "open", "paced"] = "amount",
) -> PhaseKind:
    by_name = {item.name: item for item in parameters}
    assert len(by_name) == len(parameters)
    return PhaseKind(name, words, by_name, monitored or {}, one_of, any_of, together, end)


STRATEGIES: Final = ("mu_stat", "DO_stat", "pH_stat")
"""What a feed can follow: the growth rate that a soft sensor finds, or a rise of oxygen or pH."""
OF_STRATEGY: Final[Mapping[str, tuple[str, ...]]] = {
    "mu_stat": ("initial_rate", "growth_rate"),
    "DO_stat": ("rate", "pulse_rate", "feed_above_dissolved_oxygen"),
    "pH_stat": ("rate", "pulse_rate", "feed_above_pH"),
}
"""What a feed of each strategy sets."""
_INOCULUM = _number(
    "inoculum_fraction", "%", 0, 100, "inoculum volume per volume of medium charged", required=True, above=True
)
_TEMPERATURE = _number("temperature", "degC", 0, 100, "set point of the culture")
_CULTURE = (
    _TEMPERATURE,
    _number("pH", "", 0, 14, "set point"),
    _number("dissolved_oxygen", "%", 0, 500, "set point, percent of air saturation at calibration"),
    _number("stirrer_speed", "1/min", 0, 5000, "highest speed of the cascade that holds dissolved oxygen"),
    _number("aeration", "vvm", 0, 10, "gas per liquid volume; the least of the cascade that holds dissolved oxygen"),
    _number("head_pressure", "bar", 0, 5, "gauge pressure of the head space"),
)
_SHAKEN = _number("shaking_frequency", "1/min", 0, 3000, "of the shaker that a flask or a plate stands on", above=True)
_GROWN = {"volume": "L", "oxygen_share": "%", "carbon_dioxide_share": "%", "dissolved_carbon_dioxide": "mmol/L"}
_WATCHED = {
    **_GROWN,
    "temperature": "degC",
    "pH": "",
    "dissolved_oxygen": "%",
    "pressure": "bar",
    "conductivity": "mS/cm",
}
_COOLED = _number("temperature", "degC", -20, 60, "temperature of the product")
_VOLUMES = _number("volumes", "", 0, 100, "column or diafiltration volumes", required=True, above=True)
_VELOCITY = _number("velocity", "cm/h", 0, 3000, "linear velocity in the column", required=True, above=True)
_COLUMN = {"pressure": "bar", "conductivity": "mS/cm", "pH": ""}
_MEMBRANE_PRESSURE = _number("transmembrane_pressure", "bar", 0, 6, "pressure across the membrane", above=True)
_AREA_LOAD = _number("load", "L/m2", 0, 1e5, "liquid per filter area", required=True, above=True)
_AREA_FLUX = _number("flux", "L/m2/h", 0, 1e5, "flow per filter area", required=True, above=True)
_BED = (
    _stored("resin", "the resin, from the store"),
    _material("the buffer"),
    _number("bed_height", "m", 0, 2, "height of the packed bed", required=True, above=True),
    _number("load", "g/L", 0, 500, "product per volume of resin", required=True, above=True),
    _VOLUMES,
    _VELOCITY,
)

_UPSTREAM: Final = (
    _kind(
        "thaw",
        "Thaw the cell bank that starts the seed train.",
        _stored("inoculum", "the cell bank, from the store"),
        _INOCULUM,
        _number("biomass", "g/L", 0, 200, "dry cell mass in the vial", required=True, above=True),
    ),
    _kind(
        "charge",
        "Fill a vessel with medium.",
        _material("the medium"),
        _amount("volume", "L", 1e6, "medium charged"),
        _number("fill", "", 0, 1, "medium charged per working volume used of the seed vessel", above=True),
        any_of=(("volume", "fill"),),
    ),
    _kind(
        "sterilise",
        "Sterilise the vessel and its contents in place with steam.",
        _number("temperature", "degC", 60, 160, "holding temperature", required=True),
        monitored={"pressure": "bar"},
        end="timed",
    ),
    _kind("inoculate", "Transfer the culture of the seed vessel before this one.", _INOCULUM),
    _kind("grow", "Grow a culture without feeding it.", *_CULTURE, _SHAKEN, monitored=_GROWN, end="open"),
    _kind(
        "wait",
        "Wait for a time or until a value is reached; set points stay as they are, and nothing is fed.",
        monitored=_WATCHED,
        end="open",
    ),
    _kind(
        "ramp",
        "Move set points evenly from one value to another over `duration`; the others stay, and nothing is fed.",
        *_ramps(*_CULTURE),
        monitored=_GROWN,
        any_of=(tuple(item.name for item in _CULTURE),),
        together=tuple((f"initial_{item.name}", item.name) for item in _CULTURE),
        end="paced",
    ),
    _kind(
        "feed",
        "Grow or express while feeding, at a constant rate, at one that rises exponentially, or as the culture asks.",
        _material("the feed"),
        _amount("rate", "L/h", 1e5, "constant feed rate; of a DO-stat or pH-stat the mean that is expected"),
        _amount("initial_rate", "L/h", 1e5, "feed rate at the start of the phase"),
        _number("growth_rate", "1/h", 0, 3, "rate at which a feed rises; which a mu-stat holds", above=True),
        _choice("strategy", STRATEGIES, "what the feed follows; the clock alone where it is left out"),
        _amount("pulse_rate", "L/h", 1e5, "feed rate while a DO-stat or pH-stat feeds"),
        _number("feed_above_dissolved_oxygen", "%", 0, 500, "a DO-stat feeds a pulse above it"),
        _number("feed_above_pH", "", 0, 14, "a pH-stat feeds a pulse above it"),
        *_CULTURE,
        _SHAKEN,
        monitored=_GROWN,
        one_of=(("rate", "initial_rate"),),
        together=(("initial_rate", "growth_rate"),),
        end="open",
    ),
    _kind(
        "perfuse",
        "Feed while a harvest without cells, and a bleed with them, leave; without a harvest rate the volume is held.",
        _material("the medium fed"),
        _amount("rate", "L/h", 1e5, "feed rate", required=True),
        _flow("harvest_rate", "L/h", 1e5, "harvest through the retention device"),
        _flow("bleed_rate", "L/h", 1e5, "broth taken as it is"),
        _number("retention", "", 0, 1, "fraction of the cells that stays; the vessel's own where left out"),
        _number("product_retention", "", 0, 1, "fraction of the product in solution that stays, likewise"),
        *_CULTURE,
        monitored=_GROWN,
        end="open",
    ),
    _kind(
        "chemostat",
        "Feed at a dilution rate while as much broth leaves, at constant volume.",
        _material("the medium fed"),
        _number("dilution_rate", "1/h", 0, 5, "medium fed per volume", required=True, above=True),
        *_CULTURE,
        monitored=_GROWN,
        end="open",
    ),
    _kind("withdraw", "Take broth out, as for samples.", _amount("volume", "L", 1e4, "broth taken", required=True)),
    _kind(
        "induce",
        "Add the inducer.",
        _material("the inducer's solution"),
        _amount("volume", "L", 1e5, "solution added", required=True),
        _number(
            "inducer_concentration",
            "mmol/L",
            0,
            1e4,
            "what the addition aims at in the broth; the volume decides",
            above=True,
        ),
    ),
)

_RECOVERY: Final = (
    _kind(
        "centrifuge",
        "Separate solids from liquid in a continuous centrifuge.",
        _number("flux", "m/s", 0, 1e-5, "flow per equivalent settling area (Q/Sigma)", required=True, above=True),
        _number("solids_fraction", "", 0, 1, "volume fraction of solids in the discharge", required=True, above=True),
        _COOLED,
    ),
    _kind(
        "dilute",
        "Add liquid to the stream, to a biomass or by a factor.",
        _material("the liquid added"),
        _number("biomass", "g/L", 0, 300, "dry cell mass after the addition", above=True),
        _number("fold", "", 1, 1000, "volume after per volume before"),
        one_of=(("biomass", "fold"),),
    ),
    _kind(
        "homogenise",
        "Disrupt cells in a high-pressure homogeniser.",
        _number("pressure", "MPa", 0, 400, "operating pressure", required=True, above=True),
        _number("passes", "", 1, 20, "passes through the valve", required=True),
        _COOLED,
    ),
    _kind(
        "precipitate",
        "Precipitate host protein and debris with acid, and hold.",
        _material("the acid"),
        _number("pH", "", 0, 14, "value to which the stream is brought", required=True),
        _number("acid_fraction", "%", 0, 100, "acid volume per volume of stream", required=True, above=True),
        _number("residence_time", "h", 0, 100, "time at this pH", required=True),
        monitored={"temperature": "degC"},
    ),
    _kind(
        "salt_out",
        "Precipitate protein with salt, and hold; a centrifuge or filter then parts it.",
        _material("the salt's solution"),
        _number("salt", "mol/L", 0, 6, "ammonium sulfate or its like after the addition", required=True, above=True),
        _number("residence_time", "h", 0, 100, "time at this concentration", required=True),
        monitored={"temperature": "degC", "conductivity": "mS/cm"},
    ),
    _kind(
        "depth_filter",
        "Clarify through a depth filter.",
        _stored("filter", "the filter, from the store"),
        _AREA_LOAD,
        _AREA_FLUX,
        monitored={"pressure": "bar", "turbidity": "NTU"},
    ),
)

_PURIFICATION: Final = (
    _kind("equilibrate", "Equilibrate a packed column.", *_BED, monitored=_COLUMN),
    _kind(
        "load",
        "Load the stream and bind the product.",
        _VELOCITY,
        _choice(
            "model",
            ("capacity", "lumped_rate", "general_rate"),
            "how the product's binding is computed up to its elution; capacity where it is left out",
        ),
        monitored=_COLUMN,
    ),
    _kind("wash", "Wash the loaded column.", _material("the buffer"), _VOLUMES, _VELOCITY, monitored=_COLUMN),
    _kind("elute", "Elute the product.", _material("the buffer"), _VOLUMES, _VELOCITY, monitored=_COLUMN),
    _kind(
        "inactivate",
        "Inactivate virus by a hold at low pH or with a detergent.",
        _material("the acid or detergent"),
        _number("volume_fraction", "%", 0, 200, "its volume per volume of stream", required=True, above=True),
        _number("pH", "", 0, 14, "value to which the stream is brought; none for a detergent alone"),
        _COOLED,
        _number("residence_time", "h", 0, 100, "time of the hold", required=True, above=True),
    ),
    _kind("flow_through", "Pass the product through and bind impurities.", _VELOCITY, monitored=_COLUMN),
    _kind(
        "clean",
        "Clean equipment in place.",
        _material("the cleaning agent"),
        _VOLUMES,
        _number("contact_time", "h", 0, 100, "time of contact", required=True),
        monitored={"temperature": "degC", "conductivity": "mS/cm"},
    ),
    _kind(
        "concentrate",
        "Concentrate over an ultrafiltration membrane.",
        _stored("membrane", "the membrane, from the store"),
        _number("cut_off", "kDa", 0, 1e4, "molar mass that the membrane holds back", required=True, above=True),
        _AREA_LOAD,
        _AREA_FLUX,
        _number("concentration", "g/L", 0, 500, "product after concentration", required=True, above=True),
        _MEMBRANE_PRESSURE,
        monitored={"temperature": "degC"},
    ),
    _kind(
        "diafilter",
        "Exchange the buffer at constant volume.",
        _material("the new buffer"),
        _VOLUMES,
        _AREA_FLUX,
        _MEMBRANE_PRESSURE,
        monitored={"temperature": "degC", "conductivity": "mS/cm"},
    ),
)

_FINISH: Final = (
    _kind(
        "sterile_filter",
        "Filter through a bacteria-retentive membrane.",
        _stored("filter", "the filter, from the store"),
        _AREA_LOAD,
        _AREA_FLUX,
        monitored={"pressure": "bar"},
    ),
    _kind(
        "integrity_test",
        "Test the filter after use by its bubble point.",
        _number("minimum_bubble_point", "bar", 0, 20, "lowest that passes", required=True, above=True),
    ),
    _kind(
        "lyophilise",
        "Freeze-dry.",
        _number("fill_depth", "cm", 0, 10, "depth of liquid on the shelf", required=True, above=True),
        _number("shelf_temperature", "degC", -80, 60, "shelf during primary drying", required=True),
        _number("chamber_pressure", "Pa", 0, 1000, "chamber during primary drying", required=True, above=True),
        _number("residual_moisture", "%", 0, 50, "water left in the cake", required=True),
        monitored={"product_temperature": "degC"},
    ),
    _kind(
        "fill",
        "Fill into containers.",
        _stored("container", "the container, from the store"),
        _number("mass", "g", 0, 1e5, "product in each container", required=True, above=True),
        _number("loss", "%", 0, 100, "product lost on the line"),
    ),
    _kind(
        "calibrate",
        "Calibrate a probe against one or two references; a calibration out of limits is not used.",
        _number("pH_reference", "", 0, 14, "the first buffer"),
        _number("pH_second_reference", "", 0, 14, "the second buffer"),
        _number("dissolved_oxygen_reference", "%", 0, 500, "the first reference: 100 % in air-saturated medium"),
        _number("dissolved_oxygen_second_reference", "%", 0, 500, "the second reference: 0 % under nitrogen"),
        _number("valid", "h", 0, 9000, "how long the calibration holds", required=True, above=True),
        monitored={"slope": "%", "offset": ""},
        one_of=(("pH_reference", "dissolved_oxygen_reference"),),
        end="paced",
    ),
    _kind("manual", "People follow the instruction.", end="timed"),
)

PHASE_KINDS: Final[Mapping[str, PhaseKind]] = {
    kind.name: kind for kind in (*_UPSTREAM, *_RECOVERY, *_PURIFICATION, *_FINISH)
}
"""Every `do` that a phase may state."""
