"""The commands by name, and what happens when one fails."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

from cyclopts import App, CycloptsError

import seedtrain
from seedtrain.base import EXIT_BAD_INPUT, EXIT_UNAVAILABLE, InputError, SeedtrainError, UnavailableError
from seedtrain.cli._common import report_error

EXIT_INTERRUPTED = 130

COMMANDS: Final = {
    "run": ("_run:run", None),
    "new": ("_new:new", None),
    "simulate": ("_simulate:simulate", None),
    "purify": ("_purify:purify", None),
    "compile": ("_compile:compile_model", None),
    "recipe": ("_recipe:app", "Check and compare recipes; submit, review and approve them, and make them effective."),
    "change": ("_change:app", "Change control: ask for a change, assess, approve, implement and close it."),
    "record": ("_record:app", "Check, show and export the ledger."),
    "person": ("_person:app", "Enrol, train and retire people; their passwords."),
    "retention": ("_retention:app", "How long records are kept; what still holds a person's or patient's data."),
    "lot": ("_lot_door:app", "Receive, test, release, split, use, ship, trace, recall, label and scan lots."),
    "bank": ("_bank_door:app", "Cell and vector banks: vials, places, withdrawals, excursions, tests."),
    "custody": ("_custody:app", "Chain of identity and custody: from the patient and back to the same patient."),
    "assurance": ("_assurance:app", "Rule sets on what is inside: evidence, certificates, lines, critical points."),
    "batch": ("_batch_door:app", "Run a batch with people, step by step; review it and release it."),
    "qualify": ("_qualify:qualify", None),
    "equipment": ("_equipment:app", "Register equipment, its calibration and cleaning; its log of use."),
    "quality": ("_quality:app", "Samples, results, investigations, deviations, CAPA, specifications, stability."),
    "design": ("_design:app", "Design genes, messengers, constructs, guides with their off-targets, and strains."),
    "verify": ("_verify:app", "Verdicts: pass, fail or inconclusive, with their evidence."),
    "vector": ("_vector:app", "Vectors at scale, simulated: a recipe in every vessel, the window of a transfection."),
    "telemetry": ("_telemetry:app", "Readings of the plant: ask, export and seal them."),
    "plant": ("_plant:app", "Start a virtual plant, and see what a plant's server offers."),
    "bench": ("_bench:app", "Measure speed, memory and errors beside other programs, in one run."),
    "vessel": ("_vessel:app", "What the vessels of a plant file can do."),
    "culture": ("_culture:app", "The cultures that come with Seedtrain, what is in one, and checks of one's own."),
    "data": ("_data:app", "One's own tables from bench and pilot."),
    "fit": ("_fit:fit", None),
    "compare": ("_compare:compare", None),
    "experiments": ("_experiments:app", "Design experiments, choose the next runs, and read what they told."),
    "economics": ("_economics:economics", None),
    "scale": ("_scale:scale", None),
    "designspace": ("_designspace:designspace", None),
    "model": ("_model:app", "Models as mathematics, and in and out of SBML."),
}
"""Where each command is. A group says here what it is for, and is loaded only when it is asked for."""

app = App(
    name="seedtrain",
    help="Carries a biological product from its sequence to a released batch.",
    version=seedtrain.__version__,
    version_flags=["--version"],
)
for _name, (_place, _help) in COMMANDS.items():
    app.command(f"seedtrain.cli.{_place}", name=_name, help=_help)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave with the exit code of the contract: 0, 1, 2, 3 or 4."""
    tokens = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in tokens
    try:
        code = app(tokens, exit_on_error=False, print_error=not as_json, result_action="return_value")
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
