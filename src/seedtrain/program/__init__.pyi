from ._compare import (
    Comparison,
    compare_recipes,
    recipe_culture,
    recipe_in_vessel,
    run_drawing,
    simulate_recipe,
)
from ._directory import Program, read_program
from ._ensembles import Ensemble, simulate_recipe_ensemble
from ._laboratory import laboratory
from ._need import ATTRIBUTES, Need, read_need
from ._new import new_program
from ._plant import Plant, read_plant
from ._predict import predicted_runs
from ._prior import recipe_prior
from ._recipe_case import recipe_case, recipe_design_space, recipe_scale_up
from ._run import Outcome, dossier_content, run_program
from ._scripted import answer, scripted_crew

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
