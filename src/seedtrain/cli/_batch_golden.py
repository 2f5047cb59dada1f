"""`seedtrain batch golden|monitor`: learn what good batches are like, and watch a running one beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._arguments import BatchName
from seedtrain.cli._common import Common, print_json, shown_progress
from seedtrain.cli._signing import RecordUrl, open_record

if TYPE_CHECKING:
    from seedtrain.automation import GoldenBatches, GoldenPoint, GoldenWatch
    from seedtrain.record import Ledger


GoldenFile = Annotated[
    Path | None, Parameter(name="--golden", help="Watch it beside good batches: a model of `batch golden`.")
]
BESIDE_S: Final = 2.0
"""s between two looks of monitoring beside an executor."""


@contextmanager
def beside(golden: Path | None, batch: str, record: str | None) -> Iterator[None]:
    """Monitoring as `batch monitor` does it, in a thread beside the executor; what goes wrong in it ends it alone.

    Raises `InputError` for a model that does not fit the batch, before anything is executed.
    """
    import threading

    if golden is None:
        yield
        return
    from seedtrain.automation import GoldenWatch, read_golden

    model = read_golden(golden)
    with open_record(record) as ledger:
        GoldenWatch(ledger, batch, model).close()
    over = threading.Event()

    def work() -> None:
        try:
            with open_record(record) as own:
                watching = GoldenWatch(own, batch, model)
                try:
                    while True:
                        last = over.is_set()
                        watching.look()
                        if last:
                            return
                        over.wait(BESIDE_S)
                finally:
                    watching.close()
        except Exception as error:  # noqa: BLE001 - the batch goes on without it, whatever it was
            print(_("monitoring has ended: {error}").format(error=error), file=sys.stderr, flush=True)

    thread = threading.Thread(target=work, name="golden batches", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60.0)


def add_to(app: App) -> None:
    """Put the commands among those of `seedtrain batch`."""
    app.command(golden)
    app.command(monitor)


def golden(
    model: Path,
    *,
    batch: Annotated[list[str] | None, Parameter(help="A good batch; repeat it for more.", negative="")] = None,
    recipe: Annotated[str, Parameter(help="Every complete batch of this recipe, instead of --batch.")] = "",
    phase: Annotated[list[str] | None, Parameter(help="Only this phase; repeat it for more.", negative="")] = None,
    tag: Annotated[list[str] | None, Parameter(help="Only this tag; repeat it for more.", negative="")] = None,
    every: Annotated[str, Parameter(help="Of the phase's clock between two points.")] = "6 min",
    false_alarms: Annotated[float, Parameter(help="Share of good batches that may have an alarm.")] = 0.05,
    components: Annotated[int | None, Parameter(help="How many; by parallel analysis if not given.")] = None,
    amount: Annotated[bool, Parameter(negative="", help="PLS towards the amount of product, else PCA.")] = False,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Learn from the telemetry of good batches what good is, phase by phase, into a file for `batch monitor`.

    Limits are set by batches that are left out of the model, so that about the given share of good batches has an
    alarm at all. Which batches are good is yours to say: those with a deviation do not belong.

    Example: seedtrain batch golden golden.json --recipe collagen-fed-batch --record record.db

    Parameters
    ----------
    model
        The model's file, which must not exist.
    """
    from datetime import timedelta

    from seedtrain.automation import learn_golden, write_golden
    from seedtrain.base import Position, use_language
    from seedtrain.quantity import parse
    from seedtrain.record import Telemetry

    options = common or Common()
    if model.exists():
        raise InputError("the file exists", position=Position(str(model)), remedy="Give another name, or remove it.")
    if bool(batch) == bool(recipe):
        raise InputError(
            "which batches are good is not said", remedy="Give either --batch, again and again, or --recipe."
        )
    step = timedelta(hours=parse(every, like="h").magnitude("h"))
    with (
        open_record(record, read_only=True) as ledger,
        Telemetry(ledger) as telemetry,
        use_language(options.lang),
        shown_progress(as_json=options.json) as progress,
    ):
        made = learn_golden(
            ledger,
            telemetry,
            batch or _of_recipe(ledger, recipe),
            phases=phase or (),
            tags=tag or (),
            every=step,
            components=components,
            false_alarms=false_alarms,
            towards_amount=amount,
            progress=progress,
        )
        write_golden(made, model)
    with use_language(options.lang):
        _tell_model(made, model, options)
    return EXIT_DONE


def _of_recipe(ledger: Ledger, recipe: str) -> list[str]:
    """Every complete batch of a recipe."""
    from seedtrain.automation import batch_state
    from seedtrain.recipe import State

    created = [event for event in ledger.events(type="batch.created") if event.payload.get("recipe") == recipe]
    found = [event.subject for event in created if batch_state(ledger, event.subject).state() is State.COMPLETE]
    if not found:
        known = {str(event.payload.get("recipe", "")) for event in ledger.events(type="batch.created")}
        remedy = f"Recipes with batches: {', '.join(sorted(known)) or 'none'}."
        raise InputError(f"the ledger has no complete batch of {recipe!r}", remedy=remedy)
    return found


def _tell_model(made: GoldenBatches, path: Path, options: Common) -> None:
    rows: list[dict[str, Any]] = [
        {
            "phase": item.path,
            "tags": list(item.model.tags),
            "hours": float(item.model.hours[-1]),
            "points": len(item.model.hours),
            "components": item.model.latent.count,
        }
        for item in made.phases.values()
    ]
    if options.json:
        said = {"file": str(path), "digest": made.digest, "recipe": made.recipe, "origin": made.origin}
        print_json(
            {
                **said,
                "batches": list(made.batches),
                "false_alarms": made.false_alarms,
                "phases": rows,
                "outstanding": made.outstanding,
            }
        )
        return
    words = _("{file}: {recipe}, learnt from {count} batches ({origin}); {share} of good ones may have an alarm")
    origin = _("simulated") if made.origin == "simulated" else _("measured")
    share = f"{made.false_alarms:.3g}"
    print(words.format(file=path, recipe=made.recipe, count=len(made.batches), origin=origin, share=share))
    for row in rows:
        words = _("{phase}: {tags} tags, {points} points over {hours:.2f} h, {components} components")
        print("  " + words.format(**{**row, "tags": len(row["tags"])}))
    for name, times in made.outstanding.items():
        words = _("{batch} stands out, {times:.1f} times beyond one good batch in a hundred: is it a good one?")
        print("  " + words.format(batch=name, times=times))


def monitor(
    batch: BatchName,
    *,
    golden: Annotated[Path, Parameter(help="The model of good batches, of `batch golden`.")],
    once: Annotated[bool, Parameter(help="Judge what there is, then end.", negative="")] = False,
    look: Annotated[float, Parameter(help="Seconds between two looks.")] = 2.0,
    priority: Annotated[
        Literal["critical", "high", "medium", "low"], Parameter(help="Of the alarm that it raises.")
    ] = "high",
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Watch a running batch beside good ones until it is over: Hotelling's T2 and the squared prediction error.

    It reads the telemetry, whatever executes the batch, and never touches the plant. What it finds is an alarm of the
    batch that names the tags, tags `golden.*` in the telemetry for `batch watch`, and lines in the record for the
    review. Started again it goes on from the record.

    Example: seedtrain batch monitor RHCOL3-001 --golden golden.json --record record.db
    """
    from seedtrain.automation import GoldenWatch, read_golden
    from seedtrain.base import use_language

    options = common or Common()
    if not look >= 0.1:
        raise InputError(f"a look every {look:g} s", remedy="Give 0.1 s or more.")
    model = read_golden(golden)
    with open_record(record) as ledger, use_language(options.lang):
        watching = GoldenWatch(ledger, batch, model, priority=priority)
        try:
            points = _follow(watching, once=once, look=look, options=options)
        finally:
            watching.close()
        if options.json:
            print_json({"batch": batch, "model": model.digest, "points": [item.to_data() for item in points]})
    return EXIT_DONE


def _follow(watching: GoldenWatch, *, once: bool, look: float, options: Common) -> list[GoldenPoint]:
    """Look until the batch is over, and say what changes."""
    import time

    points: list[GoldenPoint] = []
    alarms: dict[tuple[str, str], bool] = {}
    while True:
        ended = watching.ended
        for point in watching.look():
            points.append(point)
            key = (point.unit, point.phase)
            if not options.json and alarms.get(key) is not point.alarm:
                print(_point_words(point), flush=True)
            alarms[key] = point.alarm
        if once or ended:
            return points
        time.sleep(look)


def _point_words(point: GoldenPoint) -> str:
    """One time of a phase in a line."""
    state = _("beyond what good batches do") if point.alarm else _("as good batches are")
    words = f"{point.unit} {point.phase}  {point.hours:.2f} h  {state}  {point.index:.2f}"
    found: Any = point.finding
    if found is not None:
        tags = ", ".join(list(found.contributions)[:3])
        words += f"  {found.statistic}: {tags}"
    return words
