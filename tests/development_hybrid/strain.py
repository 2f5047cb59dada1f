"""A strain with and without inhibition by its substrate, and batches of it: simulated, with scatter of a known size."""

from pathlib import Path

import numpy as np

from seedtrain.development import MeasuredRun
from seedtrain.program import recipe_in_vessel
from seedtrain.simulation import Run, Variable, culture_of_text, simulate

EXAMPLES = Path(__file__).parents[2] / "examples" / "collagen"
FORMS = {
    "monod": "q_S_max * S / (K_S + S) * DO / (DO + K_O)",
    "inhibited": "q_S_max * S / (K_S + S + S ** 2 / K_I) * DO / (DO + K_O)",
}
STARTS = {"B1": 2.0, "B2": 5.0, "B3": 10.0, "B4": 18.0, "B5": 28.0, "B6": 36.0}
SCATTER = {"X": 0.05, "S": 0.15}


def text(form: str) -> str:
    return f"""culture: strain_{form}
title: A strain that eats glucose
source: invented for tests
status: unverified
design: true
biomass: X
species:
  X: {{words: cells, known_as: biomass, unit: g/L, composition: {{C: 1, H: 1.8, O: 0.5, N: 0.2}}, intracellular: true}}
  S: {{words: glucose, known_as: glucose, unit: g/L, composition: {{C: 6, H: 12, O: 6}}}}
parameters:
  q_S_max: {{value: 1.1 g/g/h, range: 0.2 .. 4 g/g/h, status: assumed, source: invented}}
  K_S: {{value: 0.5 g/L, range: 0.02 .. 20 g/L, status: assumed, source: invented}}
  K_I: {{value: 8 g/L, range: 1 .. 100 g/L, status: assumed, source: invented}}
  Y_XS: {{value: 0.45 g/g, range: 0.3 .. 0.5 g/g, status: assumed, source: invented}}
constants: {{K_O: 0.002 mmol/L}}
expressions:
  q_S: {FORMS[form]}
  mu: q_S * Y_XS
conversions:
  growth: {{words: growth, rate: q_S, consumes: {{S: 1}}, produces: {{X: Y_XS}}}}
outputs: {{mu: mu, q_S: q_S}}
"""


RECIPE = """recipe: batches
title: Batches on glucose
version: "1"
product: biomass
culture: strain.yaml
basis: {unit: BENCH-1L, volume: 0.5 L}
materials:
  medium:
    composition: {glucose: 10 g/L, mineral-salts: 14 g/L, water: 0.98 kg/L}
  ammonia:
    composition: {ammonia-water: 0.9 kg/L}
procedure:
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: growth
        phases:
          - phase: fill
            do: charge
            set: {material: medium, volume: 0.5 L}
            duration: 10 min
          - phase: inoculate
            do: inoculate
            set: {inoculum_fraction: 3 %}
            duration: 10 min
          - phase: batch
            do: grow
            set: {temperature: 37 degC, pH: 7.0, dissolved_oxygen: 30 %, stirrer_speed: 1450 1/min, aeration: 1 vvm,
                  head_pressure: 0.1 bar}
            until: elapsed >= 9 h
            at_most: 10 h
"""


def write(folder: Path, form: str) -> Path:
    """Recipe, plant and culture of `form` in a folder; the recipe's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.yaml").write_text((EXAMPLES / "plant.yaml").read_text())
    (folder / "strain.yaml").write_text(text(form))
    path = folder / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def batches(folder: Path, truth: str, names=tuple(STARTS), seed=1) -> list[MeasuredRun]:
    """What `truth` gives from different starts, read with scatter."""
    _grown, vessel, recipe = recipe_in_vessel(write(folder, truth))
    dice, found = np.random.default_rng(seed), []
    for name in names:
        initial = {"X": 0.4, "S": STARTS[name]}
        run = simulate(culture_of_text(text(truth), "truth"), vessel, recipe, initial=initial)
        times = np.arange(1.0, 9.0)
        variables = {
            symbol: Variable(
                symbol, "g/L", np.array([run.at(symbol, t) for t in times]) + scatter * dice.normal(size=len(times))
            )
            for symbol, scatter in SCATTER.items()
        }
        read = Run("simulated", recipe.digest, "strain", vessel.name, "production", times, variables)
        found.append(MeasuredRun(name, read, recipe, vessel, initial=initial))
    return found
