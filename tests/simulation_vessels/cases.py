"""A Monod culture, recipes of one vessel each, and every kind of vessel at a size that fits them."""

from __future__ import annotations

from collections.abc import Mapping

from seedtrain.base import parse_document
from seedtrain.recipe import MasterRecipe, parse_recipe
from seedtrain.simulation import Airlift, Culture, Retention, Run, ShakeFlask, StirredTank, Vessel, WaveBag, Well
from seedtrain.simulation import simulate as run_in
from seedtrain.simulation._culture_file import build
from seedtrain.simulation._vessel import Transfer

MU_MAX, K_S, Y_XS, FEED = 0.5, 0.2, 0.5, 20.0  # 1/h, g/L, g/g, g/L of glucose in the medium that is fed

MONOD = f"""\
culture: monod
title: Growth on one substrate with a constant yield, so that its steady states are known in closed form
source: Monod 1949, made for these tests
status: unverified
design: true
biomass: X
species:
  X: {{words: biomass, known_as: biomass, unit: g/L, intracellular: true,
       composition: {{C: 1, H: 1.8, O: 0.5, N: 0.2}}}}
  S: {{words: glucose, known_as: glucose, unit: g/L, composition: {{C: 6, H: 12, O: 6}}}}
  P: {{words: product, known_as: product, unit: g/L, composition: {{C: 1, H: 1.57, O: 0.33, N: 0.27}}}}
parameters:
  mu_max: {{value: {MU_MAX} 1/h, range: 0.1 .. 2 1/h, status: assumed, source: these tests}}
  K_S: {{value: {K_S} g/L, range: 0.001 .. 1 g/L, status: assumed, source: these tests}}
  Y_XS: {{value: {Y_XS} g/g, range: 0.1 .. 0.6 g/g, status: assumed, source: these tests}}
  Y_PX: {{value: 0.05 g/g, range: 0 .. 0.1 g/g, status: assumed, source: these tests}}
constants: {{K_O: 1e-5 mmol/L}}
expressions:
  mu: mu_max * S / (K_S + S) * DO / (K_O + DO)
  q_S: mu * (1 / Y_XS + 2 * Y_PX)
  q_P: mu * Y_PX
conversions:
  growth: {{rate: mu, consumes: {{S: 1 / Y_XS}}, produces: {{X: 1}}}}
  product: {{rate: q_P, consumes: {{S: 2}}, produces: {{P: 1}}}}
outputs: {{mu: mu, q_S: q_S, q_P: q_P}}
"""

RECIPE = """\
recipe: vessel-trial
title: One vessel
version: "1"
product: protein
culture: monod
basis: {unit: VESSEL, volume: 10 L}
materials:
  medium:
    composition: {glucose: 5 g/L, mineral-salts: 60 g/L, water: 0.95 kg/L}
  feed:
    composition: {glucose: 20 g/L, mineral-salts: 60 g/L, water: 0.93 kg/L}
procedure:
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: culture
        phases:
          - {phase: fill, do: charge, set: {material: medium, volume: VOLUME}, duration: 30 min}
          - {phase: inoculate, do: inoculate, set: {inoculum_fraction: 5 %}}
PHASES
specification:
  - {attribute: purity, method: SDS-PAGE, limit: ">= 95 %", assay_cv: 1 %}
"""

SET = "temperature: 37 degC, pH: 7.0, aeration: 1 vvm"


def culture() -> Culture:
    """The Monod culture; it uses 1 / Y_XS + 2 Y_PX g of glucose per g of biomass, and all but stands still without
    oxygen."""
    return build(parse_document(MONOD, "monod.yaml"))


def phase(do: str, settings: str, hours: float, name: str = "") -> str:
    """A phase of `hours` with the usual set points."""
    given = ", ".join(item for item in (settings, SET) if item)
    ends = f"until: elapsed >= {hours} h, at_most: {hours} h"
    return f"          - {{phase: {name or do}, do: {do}, set: {{{given}}}, {ends}}}"


def recipe(*phases: str, volume: str = "10 L") -> MasterRecipe:
    """A recipe of the phases in one vessel of that charge."""
    text = RECIPE.replace("PHASES", "\n".join(phases)).replace("VOLUME", volume)
    return parse_recipe(text, "vessel.yaml")


def tank(**changes: object) -> StirredTank:
    fields: dict[str, object] = {
        "name": "VESSEL",
        "scale": "pilot",
        "nominal_volume": 30.0,
        "working_volume": (5.0, 25.0),
        "diameter": 0.26,
        "impellers": 2,
        "impeller": "rushton",
        "impeller_diameter": 0.11,
        "stirrer_speed": (300.0, 900.0),
        "motor_power": 600.0,
        "aeration": (0.1, 2.0),
        "head_pressure": (0.0, 1.0),
        "cooling_area": 0.5,
        "heat_transfer_coefficient": 400.0,
        "coolant_temperature": 10.0,
    }
    return StirredTank(**{**fields, **changes})  # type: ignore[arg-type]


def airlift() -> Airlift:
    return Airlift(
        name="VESSEL",
        scale="pilot",
        nominal_volume=30.0,
        working_volume=(5.0, 25.0),
        diameter=0.2,
        draft_tube_diameter=0.14,
        aeration=(0.1, 3.0),
        head_pressure=(0.0, 0.5),
        cooling_area=0.5,
        heat_transfer_coefficient=400.0,
        coolant_temperature=10.0,
    )


def bag(kLa: float = 500.0, **changes: object) -> WaveBag:
    """A bag that gives all oxygen that is wanted."""
    fields: dict[str, object] = {
        "name": "VESSEL",
        "scale": "seed",
        "nominal_volume": 50.0,
        "working_volume": (2.0, 25.0),
        "transfer": Transfer(kLa, 10.0, -1.0, 1.0),
        "aeration": (0.1, 2.0),
        "retention": Retention(0.99, 0.2, (0.0, 30.0)),
    }
    return WaveBag(**{**fields, **changes})  # type: ignore[arg-type]


def flask() -> ShakeFlask:
    return ShakeFlask("VESSEL", "seed", 0.25, (0.01, 0.06), Transfer(400.0, 0.02, -0.83))


def well() -> Well:
    return Well("VESSEL", "screening", 4e-4, (1e-4, 2e-4), Transfer(400.0, 2e-4, -1.0, evaporation=1e-3))


def simulate(vessel: Vessel, made: MasterRecipe, initial: Mapping[str, float] | None = None) -> Run:
    """The Monod culture in a vessel."""
    return run_in(culture(), vessel, made, initial=initial, rtol=1e-8)
