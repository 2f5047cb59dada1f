"""`seedtrain batch`: a batch from its start to its end, what comes next in it, and what its record says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, InputError
from seedtrain.base import translate as _
from seedtrain.cli import _batch_acts as acts
from seedtrain.cli import _batch_orders as orders
from seedtrain.cli._arguments import BatchName
from seedtrain.cli._batch_words import batch_data, next_lines, say_simulated, with_batch
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record

if TYPE_CHECKING:
    from seedtrain.gmp import BatchRecord
    from seedtrain.recipe import ControlRecipe
    from seedtrain.record import Ledger

app = App(name="batch", help="Run a batch with people, step by step; review it and release it.")
_ACTS: Final[tuple[Callable[..., int], ...]] = (
    *(acts.begin, acts.enter, acts.dispense, acts.complete, acts.check, acts.sign, acts.clear, acts.comment),
    *(acts.correct, acts.lift, orders.hold, orders.restart, orders.pause, orders.resume, orders.stop, orders.abort),
    orders.finish,
)
for _act in _ACTS:
    app.command(_act)


@app.command
def start(
    recipe: str,
    *,
    batch: Annotated[str, Parameter(help="The id of the new batch: up to 40 letters, digits, dots and dashes.")],
    simulated: Annotated[
        bool, Parameter(negative="", help="A trial: no approved recipe, marked on every page.")
    ] = False,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Start a batch that people run, with a recipe that is effective; it pins the recipe's digest.

    Example: seedtrain batch start pbs@1 --batch PBS-001 --as person-1 --record record.db

    Parameters
    ----------
    recipe
        A recipe file, or a version in the ledger: NAME, the effective one, or NAME@VERSION.
    """
    from seedtrain.gmp import start_batch

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        return start_batch(ledger, control_of(ledger, recipe), batch, actor, simulated=simulated)

    return acts.acted(do, signer, record, common)


def control_of(ledger: Ledger, recipe: str) -> ControlRecipe:
    """The control recipe of a file, for the unit and volume that it is written for, or of a version in the ledger."""
    from seedtrain.recipe import at_scale, read_recipe

    path = Path(recipe)
    if not path.exists() and not path.suffix:
        from seedtrain.gmp import approval, find_recipe

        life = find_recipe(ledger, recipe)
        found = approval(ledger, life.digest)
        if found is None or found.control is None:
            raise InputError(f"the text of {recipe} is not in the ledger", remedy="Give the recipe file.")
        return found.control
    master = read_recipe(path)
    return at_scale(master, unit=master.basis_unit, volume=master.basis_volume)


@app.command
def step(batch: BatchName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """What comes next in a batch, with its instruction.

    Example: seedtrain batch step PBS-001 --record record.db
    """
    options = common or Common()
    with with_batch(record, batch, options) as (_ledger, found, control):
        if options.json:
            print_json(batch_data(found, control))
        else:
            say_simulated(found)
            for line in next_lines(found, control):
                print(line)
    return EXIT_DONE


@app.command
def status(batch: BatchName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """How far a batch has come: its states, its phases, and what stopped it.

    Example: seedtrain batch status PBS-001 --record record.db
    """
    from seedtrain.automation import live_status, live_words
    from seedtrain.gmp import decision_words
    from seedtrain.recipe import state_words

    options = common or Common()
    with with_batch(record, batch, options) as (ledger, found, control):
        live = live_status(ledger, batch, control)
        if options.json:
            print_json({**batch_data(found, control), "plant": live})
            return EXIT_DONE
        say_simulated(found)
        print(f"{found.batch}  {found.header.recipe}  {found.header.recipe_digest[:16]}  {state_words(found.state)}")
        if found.decision is not None and found.decision.signed:
            print("  " + decision_words(found.decision.decision), *found.decision.reasons, sep="\n    ")
        steps = {item.phase: item for item in found.steps}
        for place in control.recipe.phases():
            item = steps.get(place.path)
            words = _("not begun") if item is None else _("running") if item.completed_at is None else _("complete")
            who = "" if item is None else f"  {item.started_by}  {item.started_at}  {item.completed_at or ''}".rstrip()
            print(f"  {words:<10} {place.path}{who}")
        for stop in found.stops:
            mark = _("lifted") if stop.lifted_by else _("stopped")
            print(f"  {mark}: {stop.phase}  {stop.gate} {stop.subject}: {stop.reason}")
        if live is not None:
            print(*live_words(live), sep="\n")
        else:
            for line in next_lines(found, control):
                print(line)
    return EXIT_DONE


@app.command(name="list")
def list_batches(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every batch of the ledger, with its recipe and state.

    Example: seedtrain batch list --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import batch_list
    from seedtrain.recipe import state_words

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        rows = batch_list(ledger)
        if options.json:
            print_json([row.to_data() for row in rows])
            return EXIT_DONE
        for row in rows:
            mark = f"  {_('simulated')}" if row.origin == "simulated" else ""
            words = state_words(row.state)
            print(f"{row.batch:<20} {row.recipe:<20} {words:<10} {row.decision or '-':<10} {row.created_at}{mark}")
    return EXIT_DONE


@app.command
def show(batch: BatchName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """The whole record of a batch, table by table, in the order of 21 CFR 211.188(b).

    Example: seedtrain batch show PBS-001 --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import batch_record, batch_sheets, names_of, remark_sheets

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found = batch_record(ledger.events(subject=batch), batch)
        names = names_of(ledger)
        sheets = (*batch_sheets(found, names), *remark_sheets(found, names))
        if options.json:
            data: dict[str, Any] = {
                item.name: [dict(zip(item.columns, row, strict=True)) for row in item.rows] for item in sheets
            }
            print_json({"batch": batch, "simulated": found.simulated, "sheets": data})
            return EXIT_DONE
        say_simulated(found)
        for sheet in sheets:
            if sheet.rows:
                print(f"\n{sheet.title}")
                print("  " + " | ".join(sheet.columns))
                for row in sheet.rows:
                    print("  " + " | ".join(row))
    return EXIT_DONE


@app.command
def recalculate(batch: BatchName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Calculate every calculated value of a batch again, from its record and its recipe; exit 1 where one differs.

    Example: seedtrain batch recalculate PBS-001 --record record.db
    """
    from dataclasses import asdict

    from seedtrain.gmp import recalculate as again

    options = common or Common()
    with with_batch(record, batch, options) as (_ledger, found, control):
        lines = again(found, control)
        if options.json:
            print_json({"batch": batch, "simulated": found.simulated, "values": [asdict(item) for item in lines]})
        else:
            say_simulated(found)
            for item in lines:
                words = "; ".join(item.faults) or _("agrees")
                value = f"{item.recorded} {item.unit}".rstrip()
                print(f"{item.phase}  {item.tag} = {item.formula} = {value}: {words}")
    return EXIT_FAIL if any(item.faults for item in lines) else EXIT_DONE
