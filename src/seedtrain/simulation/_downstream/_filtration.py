"""Dead-end filters at constant flux: depth filter, sterile filter, and the integrity test."""

from __future__ import annotations

import dataclasses
from typing import Final

from seedtrain.simulation._downstream._mix import ENDOTOXIN, PARTICLES, solids, split
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, share
from seedtrain.simulation._downstream._result import course, result
from seedtrain.simulation._stream import StepResult

PUMP_ENERGY: Final = 0.1
"""kWh per m3 through a filter, pump and skid; assumed."""

DEPTH_LEVERS: Final = (
    share("solids_retained", 0.995, 0.97, 0.9999, "assumed: particles held by the depth of the filter"),
    assumed("endotoxin_lrv", 0.3, 0.0, 1.0, "", "assumed: cellulose and diatomite without a charge modifier"),
    assumed("dna_lrv", 0.5, 0.0, 1.5, "", "assumed: adsorption of DNA at pH 4"),
    share("host_protein_adsorbed", 0.1, 0.0, 0.4, "assumed: adsorption of host protein"),
    assumed("hold_up", 1.5, 0.5, 4.0, "L/m2", "assumed: liquid left in the filter after blowing down"),
    assumed("permeability", 600.0, 300.0, 1500.0, "L/m2/h/bar", "assumed: clean filter with this liquid"),
    assumed("cake_resistance", 3e-5, 1e-5, 1e-4, "bar m4 h/(g L)", "assumed: pressure per solids held and flux"),
    assumed("turbidity_factor", 500.0, 200.0, 1000.0, "NTU L/g", "assumed: turbidity of fine debris"),
    assumed("turbidity_base", 2.0, 0.5, 5.0, "NTU", "assumed: turbidity without particles"),
    assumed("flush", 50.0, 20.0, 100.0, "L/m2", "assumed: water to rinse the filter before use"),
)
STERILE_LEVERS: Final = (
    share("product_adsorbed", 0.003, 0.0, 0.02, "assumed: product adsorbed by the membrane"),
    assumed("hold_up", 0.5, 0.1, 1.5, "L/m2", "assumed: liquid left in the filter"),
    assumed("permeability", 900.0, 300.0, 3000.0, "L/m2/h/bar", "assumed: 0.2 um membrane with this liquid"),
    assumed("plugging_load", 600.0, 200.0, 2000.0, "L/m2", "assumed: load at which the pressure has doubled"),
    assumed("bioburden_before", 1.0, 0.01, 10.0, "CFU/mL", "assumed: bioburden of the stream before the filter"),
    assumed("bacteria_lrv", 7.0, 6.0, 9.0, "", "assumed: the 10^7 CFU/cm2 challenge of ASTM F838 is held back"),
    assumed("flush", 20.0, 10.0, 50.0, "L/m2", "assumed: water to wet and rinse the filter"),
)
INTEGRITY_LEVERS: Final = (
    assumed("bubble_point", 3.7, 3.4, 4.2, "bar", "assumed: mean of intact 0.2 um membranes wetted with water"),
    assumed("bubble_point_spread", 0.12, 0.05, 0.25, "bar", "assumed: standard deviation between filters"),
)


def _housings(settings: Settings, area: float, rounds: int) -> dict[str, tuple[float, str]]:
    """`area` m2 at a time, in as many housings as it takes."""
    number = settings.parallel("filter_area", area)
    return {"filter_area": (area / number, "m2"), "rounds": (float(rounds), ""), "parallel": (float(number), "")}


def depth_pressure(flux: float, permeability: float, deposit: float, resistance: float) -> float:
    """Pressure drop at the end of the load, bar: clean filter and cake in series (Darcy).

    - `flux` L/m2/h, `permeability` L/m2/h/bar, `deposit` g/m2, `resistance` bar m4 h/(g L).
    """
    return flux / permeability + resistance * deposit * flux


def run_depth(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Hold back particles; adsorb a little DNA, endotoxin and host protein."""
    feed, load, flux = carry.stream, settings.number("load"), settings.number("flux")
    area, rounds = settings.capped("filter_area", feed.volume / load)
    total_area = area * rounds
    left = min(settings.lever("hold_up") / load, 0.9)
    retained = settings.lever("solids_retained")
    passing = {
        ENDOTOXIN: 10.0 ** -settings.lever("endotoxin_lrv"),
        "dna": 10.0 ** -settings.lever("dna_lrv"),
        "host_protein": 1.0 - settings.lever("host_protein_adsorbed"),
    }
    outlet, waste = split(
        feed,
        ("depth filtrate", "left in the depth filter"),
        feed.volume * (1.0 - left),
        lambda key: (1.0 - left) * passing.get(key, 1.0),
        lambda _: (1.0 - left) * (1.0 - retained),
    )
    deposit = (_dry(solids(feed)) - _dry(solids(outlet))) / total_area if total_area > 0 else 0.0
    fine = _dry(solids(outlet)) / outlet.volume if outlet.volume > 0 else 0.0
    pressure = depth_pressure(flux, settings.lever("permeability"), deposit, settings.lever("cake_resistance"))
    step = result(
        settings,
        (feed,),
        outlet,
        (waste,),
        rounds * load / flux,
        materials={settings.word("filter"): (total_area, "m2")},
        utilities={
            "electricity": (PUMP_ENERGY * feed.volume / 1000.0, "kWh"),
            "water": (settings.lever("flush") * total_area, "L"),
        },
        performance={
            "pressure": (pressure, "bar"),
            "turbidity": (settings.lever("turbidity_base") + settings.lever("turbidity_factor") * fine, "NTU"),
            "load": (load, "L/m2"),
            "flux": (flux, "L/m2/h"),
            "deposit": (deposit, "g/m2"),
        },
        equipment=_housings(settings, area, rounds),
        trajectory=course(
            load / flux,
            volume=lambda time: flux * time * total_area,
            pressure=lambda time: depth_pressure(
                flux, settings.lever("permeability"), deposit * flux * time / load, settings.lever("cake_resistance")
            ),
        ),
    )
    return step, dataclasses.replace(carry, stream=outlet)


def _dry(bound: dict[str, float]) -> float:
    return sum(value for key, value in bound.items() if key != ENDOTOXIN)


def run_sterile(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Hold back bacteria and what particles are left."""
    feed, load, flux = carry.stream, settings.number("load"), settings.number("flux")
    area, rounds = settings.capped("filter_area", feed.volume / load)
    total_area = area * rounds
    left = min(settings.lever("hold_up") / load, 0.9)
    kept = settings.lever("product_adsorbed")
    outlet, waste = split(
        feed,
        ("sterile filtrate", "left in the sterile filter"),
        feed.volume * (1.0 - left),
        lambda key: (1.0 - left) * (1.0 - kept if key in ("product", "denatured_product") else 1.0),
        lambda key: 0.0 if key in PARTICLES else 1.0 - left,
    )

    def pressure(filtered: float) -> float:
        return float(flux / settings.lever("permeability") * 2.0 ** (filtered / settings.lever("plugging_load")))

    before = settings.lever("bioburden_before")
    step = result(
        settings,
        (feed,),
        outlet,
        (waste,),
        rounds * load / flux,
        materials={settings.word("filter"): (total_area, "m2")},
        utilities={
            "electricity": (PUMP_ENERGY * feed.volume / 1000.0, "kWh"),
            "water": (settings.lever("flush") * total_area, "L"),
        },
        performance={
            "pressure": (pressure(load), "bar"),
            "load": (load, "L/m2"),
            "flux": (flux, "L/m2/h"),
            "bioburden_before": (before, "CFU/mL"),
            "bioburden": (before * 10.0 ** -settings.lever("bacteria_lrv"), "CFU/mL"),
        },
        equipment=_housings(settings, area, rounds),
        trajectory=course(
            load / flux,
            volume=lambda time: flux * time * total_area,
            pressure=lambda time: pressure(flux * time),
        ),
    )
    return step, dataclasses.replace(carry, stream=outlet, filter_area=total_area)


def run_integrity(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """The true bubble point; whoever measures it draws a reading around it."""
    lowest = settings.number("minimum_bubble_point")
    step = result(
        settings,
        (carry.stream,),
        carry.stream,
        (),
        0.5,
        performance={
            "bubble_point": (settings.lever("bubble_point"), "bar"),
            "bubble_point_spread": (settings.lever("bubble_point_spread"), "bar"),
            "minimum_bubble_point": (lowest, "bar"),
        },
        utilities={"water": (carry.filter_area, "L")},
    )
    return step, carry


_AREA: Final = {"load": "L/m2", "flux": "L/m2/h"}
DEPTH_FILTER: Final = Operation("depth_filter", _AREA, ("filter",), DEPTH_LEVERS, run_depth)
STERILE_FILTER: Final = Operation("sterile_filter", _AREA, ("filter",), STERILE_LEVERS, run_sterile)
INTEGRITY_TEST: Final = Operation(
    "integrity_test", {"minimum_bubble_point": "bar"}, (), INTEGRITY_LEVERS, run_integrity
)
