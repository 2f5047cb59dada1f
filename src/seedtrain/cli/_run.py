"""`seedtrain run`: every stage of a program whose inputs changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seedtrain.cli._common import Common, print_json, shown_progress


def run(
    program_dir: Path,
    *,
    seed: Annotated[int, Parameter(help="Seed of simulated noise and assay errors.")] = 1,
    common: Common | None = None,
) -> int:
    """Carry a product from its need to a released (simulated) batch and write the dossier.

    Only stages whose inputs changed are redone; a killed run goes on where it was.

    Example: seedtrain run examples/collagen

    Parameters
    ----------
    program_dir
        A folder with need.yaml, recipe.yaml, plant.yaml and the product's FASTA file.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.program import run_program

    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        outcome = run_program(program_dir, seed=seed, progress=progress)
        if options.json:
            print_json(outcome.to_data())
        else:
            print(outcome.summary())
    return 0
