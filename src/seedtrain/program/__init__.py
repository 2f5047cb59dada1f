"""A company's need, the stages that answer it, the gap, and the dossier."""

from seedtrain.program._compare import (
    Comparison,
    compare_recipes,
    recipe_culture,
    recipe_in_vessel,
    run_drawing,
    simulate_recipe,
)
from seedtrain.program._directory import Program, read_program
from seedtrain.program._ensembles import Ensemble, simulate_recipe_ensemble
from seedtrain.program._laboratory import laboratory
from seedtrain.program._need import ATTRIBUTES, Need, read_need
from seedtrain.program._new import new_program
from seedtrain.program._plant import Plant, read_plant
from seedtrain.program._predict import predicted_runs
from seedtrain.program._prior import recipe_prior
from seedtrain.program._recipe_case import recipe_case, recipe_design_space, recipe_scale_up
from seedtrain.program._run import Outcome, dossier_content, run_program
from seedtrain.program._scripted import answer, scripted_crew

__all__ = [
    "ATTRIBUTES",
    "Comparison",
    "Ensemble",
    "Need",
    "Outcome",
    "Plant",
    "Program",
    "answer",
    "compare_recipes",
    "dossier_content",
    "laboratory",
    "new_program",
    "predicted_runs",
    "read_need",
    "read_plant",
    "read_program",
    "recipe_case",
    "recipe_culture",
    "recipe_design_space",
    "recipe_in_vessel",
    "recipe_prior",
    "recipe_scale_up",
    "run_drawing",
    "run_program",
    "scripted_crew",
    "simulate_recipe",
    "simulate_recipe_ensemble",
]
