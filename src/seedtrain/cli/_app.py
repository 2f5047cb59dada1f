"""The commands by name, and what happens when one fails."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

from cyclopts import App, CycloptsError, Group

import seedtrain
from seedtrain.base import EXIT_BAD_INPUT, EXIT_UNAVAILABLE, InputError, SeedtrainError, UnavailableError
from seedtrain.cli._common import report_error

EXIT_INTERRUPTED = 130

COMMANDS: Final = {
    "A program, from need to release": {
        "run": ("_run:run", "Carry a product from its need to a released (simulated) batch and write the dossier."),
        "new": ("_new:new", "Make a program directory for one's own product, ready for `seedtrain run`."),
    },
    "Sequences, strains and vectors": {
        "design": ("_design:app", "Design genes, messengers, constructs, guides with their off-targets, and strains."),
        "verify": ("_verify:app", "Verdicts: pass, fail or inconclusive, with their evidence."),
        "vector": ("_vector:app", "Vectors at scale, simulated: a recipe in every vessel, a transfection's window."),
    },
    "Simulation": {
        "simulate": ("_simulate:simulate", "Simulate the production step of a recipe, once or thousands of times."),
        "purify": ("_purify:purify", "Run the phases of a recipe after its culture on a stream."),
        "culture": ("_culture:app", "The cultures that come with Seedtrain, what is in one, and checks of one's own."),
        "vessel": ("_vessel:app", "What the vessels of a plant file can do."),
        "compile": ("_compile:compile_model", "Compile a genome-scale metabolic model."),
        "model": ("_model:app", "Models as mathematics, and in and out of SBML."),
    },
    "From data to decision": {
        "data": ("_data:app", "One's own tables from bench and pilot."),
        "fit": ("_fit:fit", "Fit parameters to measured runs, and say what the data cannot tell."),
        "experiments": ("_experiments:app", "Design experiments, choose the next runs, and read what they told."),
        "designspace": ("_designspace:designspace", "Set points over which every quality attribute passes."),
        "scale": ("_scale:scale", "Carry a recipe to another vessel: what is kept, what gives way."),
        "compare": ("_compare:compare", "Are runs at another scale equivalent, in numbers, slopes and shapes?"),
        "economics": ("_economics:economics", "Cost, carbon and the lowest selling price of a batch."),
    },
    "Recipes, plant and batches": {
        "recipe": ("_recipe:app", "Check and compare recipes; submit, review, approve, and make them effective."),
        "batch": ("_batch_door:app", "Run a batch, by people or on a plant; review it and release it."),
        "plant": ("_plant:app", "Start a virtual plant, and see what a plant's server offers."),
        "telemetry": ("_telemetry:app", "Readings of the plant: ask, export and seal them."),
    },
    "Quality": {
        "person": ("_person:app", "Enrol, train and retire people; their passwords."),
        "lot": ("_lot_door:app", "Receive, test, release, split, use, ship, trace, recall, label and scan lots."),
        "equipment": ("_equipment:app", "Register equipment, its calibration and cleaning; its log of use."),
        "quality": ("_quality:app", "Samples, results, investigations, deviations, CAPA, stability."),
        "change": ("_change:app", "Change control: ask for a change, assess, approve, implement and close it."),
        "bank": ("_bank_door:app", "Cell and vector banks: vials, places, withdrawals, excursions, tests."),
        "custody": ("_custody:app", "Chain of identity and custody: from the patient and back to the same patient."),
        "assurance": ("_assurance:app", "Rule sets on what is inside: evidence, certificates, critical points."),
        "record": ("_record:app", "Check, show and export the ledger."),
        "retention": ("_retention:app", "How long records are kept; what still holds a person's data."),
        "qualify": ("_qualify:qualify", "Check this installation and write a signed report, clause by clause."),
    },
    "Measuring Seedtrain": {
        "bench": ("_bench:app", "Measure speed, memory and errors beside other programs, in one run."),
    },
}
"""Where each command is and what it is for, by panel of the help. A command is loaded only when it is asked for."""


def application(listing: bool) -> App:
    """Every command by name; `listing` gives each its line of the overview, else it explains itself."""
    whole = App(
        name="seedtrain",
        help="Carries a biological product from its sequence to a released batch.",
        version=seedtrain.__version__,
        version_flags=["--version"],
        group_commands=Group("Help", sort_key=len(COMMANDS)),
        suppress_keyboard_interrupt=False,  # it would end without a word
    )
    for at, (panel, commands) in enumerate(COMMANDS.items()):
        group = Group(panel, sort_key=at)
        for order, (name, (place, words)) in enumerate(commands.items()):
            explains_itself = not listing and not place.endswith(":app")
            help_line = None if explains_itself else words
            whole.command(f"seedtrain.cli.{place}", name=name, help=help_line, group=group, sort_key=order)
    return whole


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave with the exit code of the contract: 0, 1, 2, 3 or 4."""
    tokens = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in tokens
    listing = not tokens or tokens[0].startswith("-")
    try:
        code = application(listing)(tokens, exit_on_error=False, print_error=not as_json, result_action="return_value")
    except CycloptsError as error:
        if as_json:
            report_error(InputError(str(error), remedy="See: seedtrain --help"), as_json=True)
        sys.exit(EXIT_BAD_INPUT)
    except SeedtrainError as error:
        report_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted: what was finished is kept, the same command goes on", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_UNAVAILABLE)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        words = f"a file or a connection failed: {error.strerror or error}{where}"
        report_error(UnavailableError(words, remedy="Check the path, its permissions and the disk."), as_json=as_json)
        sys.exit(EXIT_UNAVAILABLE)
    sys.exit(code if isinstance(code, int) else 0)
