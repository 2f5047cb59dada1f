"""The small recipe with a buffer tank that is made ready beside the culture, and needed only by the second operation of
the harvest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from seedtrain.automation._scenario import Scenario, scenario_of
from seedtrain.simulation import StepResult
from tests.automation.made import RECIPE, production_run, seed_run, step_results
from tests.automation_live.made import control

BUFFER = """\
  - unit_procedure: buffer
    unit_class: buffer_tank
    after: []
    operations:
      - operation: preparation
        phases:
          - phase: sterilise
            do: sterilise
            set: {temperature: 121 degC}
            duration: 150 min
            limits: {temperature: 119 .. 123 degC}
          - {phase: charge, do: charge, set: {material: buffer, volume: 5 L}, duration: 150 min}
          - {phase: look, do: manual, instruction: Look at it., duration: 10 min, second_person: true}
          - {phase: mix, do: wait, duration: 5 h, hold_time: 12 h}
"""
STERILISE, CHARGE, LOOK, MIX = (f"buffer/preparation/{name}" for name in ("sterilise", "charge", "look", "mix"))
RESUSPEND = "harvest/wash/resuspend"


def _parallel() -> str:
    text = RECIPE.replace(
        "  - unit_procedure: harvest\n", f"{BUFFER}  - unit_procedure: harvest\n    after: [production]\n"
    )
    wash = "      - operation: wash\n        after: [buffer]\n        phases:\n          - phase: resuspend\n"
    return text.replace("          - phase: resuspend\n", wash)


PARALLEL = _parallel()


def steps() -> list[StepResult]:
    """The downstream train of the recipe."""
    return [replace(item, path=item.path.replace("recovery/resuspend", "wash/resuspend")) for item in step_results()]


@cache
def scenario(text: str = PARALLEL) -> Scenario:
    return scenario_of(control(text), production=production_run(), seeds=[seed_run()], steps=steps())
