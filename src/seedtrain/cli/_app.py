"""The commands by name, and what happens when one fails."""

from __future__ import annotations

import sys
from typing import NoReturn

from cyclopts import App, CycloptsError

import seedtrain
from seedtrain.base import EXIT_BAD_INPUT, EXIT_UNAVAILABLE, InputError, SeedtrainError
from seedtrain.cli import (
    _assurance,
    _bank,
    _bank_care,  # noqa: F401  # puts its commands on the app of _bank
    _batch,
    _batch_documents,
    _batch_review,
    _bench,
    _change,
    _compile,
    _culture,
    _custody,
    _data,
    _design,
    _designspace,
    _economics,
    _equipment,
    _fit,
    _lot,
    _lot_stock,  # noqa: F401  # puts its commands on the app of _lot
    _lot_trace,  # noqa: F401
    _model,
    _new,
    _person,
    _plant,
    _purify,
    _qualify,
    _recipe,
    _record,
    _retention,
    _run,
    _scale,
    _simulate,
    _verify,
    _vessel,
)
from seedtrain.cli._common import report_error

EXIT_INTERRUPTED = 130

app = App(
    name="seedtrain",
    help="Carries a biological product from its sequence to a released batch.",
    version=seedtrain.__version__,
    version_flags=["--version"],
)
app.command(_run.run)
app.command(_new.new)
app.command(_simulate.simulate)
app.command(_purify.purify)
app.command(_compile.compile_model, name="compile")
app.command(_recipe.app)
app.command(_change.app)
app.command(_record.app)
app.command(_person.app)
app.command(_retention.app)
app.command(_lot.app)
app.command(_bank.app)
app.command(_custody.app)
app.command(_assurance.app)
app.command(_batch.app)
app.command(_qualify.qualify)
app.command(_equipment.app)
_batch_documents.add_to(_batch.app)
_batch_review.add_to(_batch.app)
QUALITY_HELP = "Samples, results, investigations, deviations, CAPA, specifications, stability."
app.command("seedtrain.cli._quality:app", name="quality", help=QUALITY_HELP)  # loaded only when it is asked for
app.command(_design.app)
app.command(_verify.app)
app.command(_plant.app)
app.command(_bench.app)
app.command(_vessel.app)
app.command(_culture.app)
app.command(_data.app)
app.command(_fit.fit)
app.command(_economics.economics)
app.command(_scale.scale)
app.command(_designspace.designspace)
app.command(_model.app)


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
    sys.exit(code if isinstance(code, int) else 0)
