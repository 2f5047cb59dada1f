"""`seedtrain batch start|resume --mapping`: a batch on a plant; what people say to it from another process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, InputError, SeedtrainError, collect
from seedtrain.base import translate as _
from seedtrain.cli import _batch, _batch_orders
from seedtrain.cli._arguments import BatchName
from seedtrain.cli._batch_acts import Reason, acted
from seedtrain.cli._batch_golden import GoldenFile, beside
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.automation import Alarm, AnyMapping, AnyPlant, NotifyEntry, Shortage
    from seedtrain.gmp import BatchRecord
    from seedtrain.recipe import ControlRecipe, PhaseAt
    from seedtrain.record import Ledger

MappingFile = Annotated[
    Path | None, Parameter(name="--mapping", help="The mapping file of the plant that runs it; none: people run it.")
]
AlarmFile = Annotated[Path | None, Parameter(help="Alarms beside those that the recipe's limits give.")]
PlantPassword = Annotated[
    int | None,
    Parameter(help="Read the password of the mapping's user from this descriptor; else SEEDTRAIN_OPCUA_PASSWORD."),
]


def start(
    recipe: str,
    *,
    batch: Annotated[str, Parameter(help="The id of the new batch: up to 40 letters, digits, dots and dashes.")],
    mapping: MappingFile = None,
    alarms: AlarmFile = None,
    golden: GoldenFile = None,
    plant_password_fd: PlantPassword = None,
    allow_missing: Annotated[
        bool, Parameter(negative="", help="Start though lots are missing that a later phase needs; it is recorded.")
    ] = False,
    simulated: Annotated[
        bool, Parameter(negative="", help="A trial: no approved recipe, marked on every page.")
    ] = False,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Start a batch with a recipe that is effective: on a plant with --mapping, else run by people.

    On a plant it runs until the batch is over and says what it waits for; people answer from other terminals with the
    other commands of `batch`. Called again for a batch that is there it takes it over, as `resume` does.

    Example: seedtrain batch start pbs@1 --batch PBS-001 --as person-1 --record record.db

    Parameters
    ----------
    recipe
        A recipe file, or a version in the ledger: NAME, the effective one, or NAME@VERSION.
    """
    if mapping is None:
        _no_golden(golden)
        if allow_missing:
            raise InputError(
                "--allow-missing is for a batch on a plant", remedy="Give --mapping too, or leave it away."
            )
        code = _batch.start(recipe, batch=batch, simulated=simulated, signer=signer, record=record, common=common)
        _say_what_people_lack(recipe, record, common or Common())
        return code
    from seedtrain.automation import start_live
    from seedtrain.base import use_language
    from seedtrain.gmp import LedgerPermit

    options = common or Common()
    _plant_password(plant_password_fd)
    with open_record(record) as ledger, use_language(options.lang):
        control = _batch.control_of(ledger, recipe)
        given = _Given(ledger, control, batch, mapping, alarms, options)
        given.golden = golden
        with _checked(given, signer.actor, simulated=simulated, allow_missing=allow_missing) as (plant, read):
            with signing(ledger, signer) as actor:  # the key is open for this one signature, not while the batch runs
                start_live(
                    control,
                    plant,
                    ledger,
                    batch=batch,
                    actor=actor,
                    permit=LedgerPermit(ledger, control),
                    people=read.entry.people,
                    mapping=read.digest,
                    simulated=simulated,
                    missing=[item.to_data() for item in given.missing],
                )
            with beside(golden, batch, record):
                return _drive(given, plant, read, simulated=simulated)


def resume(
    batch: BatchName,
    *,
    mapping: MappingFile = None,
    alarms: AlarmFile = None,
    golden: GoldenFile = None,
    plant_password_fd: PlantPassword = None,
    reason: Reason = "",
    signer: Signer | None = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Let a paused batch go on; with --mapping, take over a batch on a plant whose executor is gone.

    A batch that is taken over is Held, with what was found, until `batch confirm`; only a phase that declares
    `automatic_restart` goes on by itself.

    Example: seedtrain batch resume PBS-001 --as person-1 --record record.db
    """
    if mapping is None:
        _no_golden(golden)
        if signer is None:
            raise InputError("nobody signs", remedy="Give --as, or --mapping to take over a batch on a plant.")
        return _batch_orders.resume(batch, reason=reason, signer=signer, record=record, common=common)
    from seedtrain.automation import batch_people, hold_lost_batch
    from seedtrain.base import use_language
    from seedtrain.gmp import LedgerPermit, batch_recipe, batch_record

    options = common or Common()
    _plant_password(plant_password_fd)
    with open_record(record) as ledger, use_language(options.lang):
        found = batch_record(ledger.events(subject=batch), batch)
        given = _Given(ledger, batch_recipe(ledger, found), batch, mapping, alarms, options)
        trial, people = found.header.trial, batch_people(ledger, batch)
        hold_lost_batch(given.control, ledger, batch, LedgerPermit(ledger, given.control), people, trial=trial)
        given.golden = golden
        with _checked(given, "", simulated=found.header.trial) as (plant, read), beside(golden, batch, record):
            return _drive(given, plant, read, simulated=found.header.trial)


def _no_golden(golden: Path | None) -> None:
    """People run a batch without a plant: nothing is read that could be watched."""
    if golden is not None:
        raise InputError("--golden watches a batch on a plant", remedy="Give --mapping too, or leave --golden away.")


class _Given:
    """What both commands have read."""

    def __init__(
        self, ledger: Ledger, control: ControlRecipe, batch: str, mapping: Path, alarms: Path | None, options: Common
    ) -> None:
        self.ledger, self.control, self.batch = ledger, control, batch
        self.mapping, self.alarms, self.options = mapping, alarms, options
        self.golden: Path | None = None
        self.missing: tuple[Shortage, ...] = ()
        self.further: tuple[Alarm, ...] = ()
        self.notify: tuple[NotifyEntry, ...] = ()


def _plant_password(descriptor: int | None) -> None:
    """The password of the server's user, where it does not come by the environment."""
    if descriptor is None:
        return
    import os

    from seedtrain.cli._signing import Secrets

    secret = Secrets(descriptor).ask(_("Password of the plant's user:"))
    os.environ["SEEDTRAIN_OPCUA_PASSWORD"] = os.environ["SEEDTRAIN_PLANT_PASSWORD"] = secret


@contextmanager
def _checked(
    given: _Given, actor: str, *, simulated: bool, allow_missing: bool = False
) -> Iterator[tuple[AnyPlant, AnyMapping]]:
    """Recipe, person, mapping, plant, units and, for a new batch, what the store holds for it, all faults at once,
    before anything is recorded or moves."""
    from seedtrain.automation import (
        check_batch_id,
        mapped_plant,
        occupied,
        read_alarms,
        read_any_mapping,
        read_golden,
        unit_name,
    )
    from seedtrain.gmp import authorise

    errors: list[SeedtrainError] = []

    def tried(do: Callable[[], Any]) -> Any:
        try:
            return do()
        except InputError as error:
            errors.extend(error.parts)
            return None

    if actor:
        tried(lambda: check_batch_id(given.batch))
        tried(lambda: authorise(given.ledger, actor, "batch.execute"))
        if not simulated:
            tried(lambda: _must_be_effective(given.ledger, given.control))
    if given.alarms is not None:
        path = given.alarms
        given.further, given.notify = tried(lambda: read_alarms(path)) or ((), ())
    if given.golden is not None:
        model = given.golden
        tried(lambda: read_golden(model))
    units = {unit_name(step) for step in given.control.recipe.phases()}
    errors += occupied(given.ledger, given.batch, units)
    read = tried(lambda: read_any_mapping(given.mapping))
    plant = tried(lambda: mapped_plant(read, given.control, owner=given.batch, patience=2.0)) if read else None
    if actor and plant is not None and next(iter(given.ledger.events(subject=given.batch)), None) is None:
        given.missing = tried(lambda: _missing(given, plant, read)) or ()
        short = [item for item in given.missing if not (allow_missing or item.waiting)]
        errors += [item.error(given.control.recipe) for item in short]
    try:
        collect(errors)
        assert plant is not None
        assert read is not None
        _say_missing(given.missing)
        if actor:
            _say_behind(given, plant, units - set(read.entry.people))
        yield plant, read
    finally:
        if plant is not None:
            plant.close()


def _missing(given: _Given, plant: AnyPlant, read: AnyMapping) -> tuple[Shortage, ...]:
    """What the store lacks for the whole batch, on the day of the plant's clock."""
    from datetime import UTC, datetime

    from seedtrain.automation import shortages, unit_name
    from seedtrain.gmp import received_lots

    steps = [step for step in given.control.recipe.phases() if unit_name(step) not in read.entry.people]
    lots = tuple(received_lots(given.ledger.events()).values())
    now = plant.unit(unit_name(steps[0])).now() if steps else datetime.now(UTC)

    def connected(step: PhaseAt) -> tuple[str, ...]:
        if unit_name(step) in read.entry.people:
            return ()
        return plant.unit(unit_name(step)).connected(step.path, step.phase)

    return shortages(given.control, given.ledger, lots, now.date(), connected)


def _say_what_people_lack(recipe: str, record: RecordUrl, options: Common) -> None:
    """A batch that people run waits for them: what the store lacks is told, and is no reason to refuse it."""
    from seedtrain.automation import shortages
    from seedtrain.base import use_language
    from seedtrain.gmp import received_lots

    with open_record(record) as ledger, use_language(options.lang):
        lots = tuple(received_lots(ledger.events()).values())
        _say_missing(shortages(_batch.control_of(ledger, recipe), ledger, lots, ledger.now.date()))


def _say_missing(missing: Sequence[Shortage]) -> None:
    """What a batch is started without: a line a material, with what to do before its phase begins."""
    import sys

    for item in missing:
        words = _("missing so far: {what}. {remedy}").format(what=item.words, remedy=item.remedy)
        print(words, file=sys.stderr, flush=True)


def _say_behind(given: _Given, plant: AnyPlant, units: Collection[str]) -> None:
    """A virtual plant whose clock lies before what the record has of its units: their telemetry would mix."""
    import sys

    from seedtrain.automation import clock_behind
    from seedtrain.record import timestamp

    if plant.origin != "simulated" or not units:
        return
    now = plant.unit(min(units)).now()
    found = clock_behind(given.ledger, given.batch, units, now)
    if found is not None:
        words = _(
            "the plant's clock shows {now}, and batch {other} used its units until {until}: their telemetry cannot be"
            " told apart. Start the plant with --clock {until}"
        )
        said = words.format(now=timestamp(now), other=found[0], until=timestamp(found[1]))
        print(said, file=sys.stderr, flush=True)


def _must_be_effective(ledger: Ledger, control: ControlRecipe) -> None:
    """The recipe was approved and is effective (21 CFR 211.100(a), 211.188(a))."""
    from seedtrain.gmp import approval
    from seedtrain.record import timestamp

    name = f"{control.recipe.name} {control.recipe.version} ({control.digest[:16]}...)"
    found = approval(ledger, control.digest)
    objection = f"the recipe {name} was never approved"
    if found is not None:
        objection = found.fault or found.objection(timestamp(ledger.now))
        if found.retired and not objection:
            objection = f"the recipe {name} is retired"
    if objection:
        remedy = "Have it approved and made effective: seedtrain recipe submit; or run a trial: --simulated."
        raise InputError(objection, remedy=remedy)


def _drive(given: _Given, plant: AnyPlant, read: AnyMapping, *, simulated: bool) -> int:
    """Run the batch to its end, and say how it stands then; exit code 1 where it was stopped or aborted."""
    import sys

    from seedtrain.automation import Recorder, execute_live, live_status, live_words, recipe_alarms
    from seedtrain.gmp import LedgerPermit, open_deviations, received_lots
    from seedtrain.recipe import State, state_words

    ledger, control, batch, options = given.ledger, given.control, given.batch, given.options
    origin = "simulated" if simulated else plant.origin
    stream = sys.stderr if options.json else sys.stdout
    with Recorder(
        ledger, batch, origin=origin, alarms=(*recipe_alarms(control.recipe), *given.further), notify=given.notify
    ) as recorder:
        state = execute_live(
            control,
            plant,
            ledger,
            batch=batch,
            permit=LedgerPermit(ledger, control),
            stock=lambda: tuple(received_lots(ledger.events()).values()),
            people=read.entry.people,
            mapping=read.digest,
            simulated=simulated,
            on_excursion=lambda _excursion: open_deviations(ledger, batch),
            tell=lambda words: print(words, file=stream, flush=True),
            recorder=recorder,
        )
    status = live_status(ledger, batch, control)
    assert status is not None
    if options.json:
        print_json({"batch": batch, **status})
    else:
        print(f"{batch}: {state_words(state.state())}", *live_words(status), sep="\n")
    return EXIT_DONE if state.state() is State.COMPLETE else EXIT_FAIL


def confirm(
    batch: BatchName,
    *,
    unit: _batch_orders.OfUnit = "",
    reason: Reason = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Confirm that a batch, or a unit of it, which was held goes on: you have seen how its units stand. Signed.

    Example: seedtrain batch confirm PBS-001 --as person-1 --record record.db
    """
    from seedtrain.automation import batch_state
    from seedtrain.gmp import command_batch
    from seedtrain.recipe import Command

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        state = batch_state(ledger, batch)
        held = max((item.seq for item in state.orders.values()), default=0) if unit else state.order
        words = reason or f"the state was seen; held by event {held}"
        return command_batch(ledger, batch, Command.RESTART, actor, unit=unit, reason=words)

    return acted(do, signer, record, common)


def override(
    batch: BatchName,
    tag: str,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    unit: str = "",
    *,
    phase: Annotated[str, Parameter(help="The phase, where several run that set it.")] = "",
    reason: Reason,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Set a target by hand until the end of the phase that runs; the executor follows within seconds. Signed.

    Example: seedtrain batch override COL-001 temperature 30 degC --reason "foam" --as person-1 --record record.db

    Parameters
    ----------
    tag
        The target, as the recipe calls it.
    value
        The number.
    unit
        Its unit; none for a plain number.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import authorise, batch_record
    from seedtrain.record import Draft, append_signed

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        authorise(ledger, actor, "batch.execute")
        found = batch_record(ledger.events(subject=batch), batch)
        payload = _target(ledger, found, tag, value, unit, phase)
        draft = Draft("target.overridden", batch, payload, actor, reason=reason)
        append_signed(ledger, draft, f"override of {tag} in {payload['phase']}"[:200])
        if options.json:
            print_json({"batch": batch, **payload})
        else:
            words = _("{tag} of {phase} is to be {value}")
            told = f"{payload['value']} {payload['unit_of_measure']}".rstrip()
            print(words.format(tag=tag, phase=payload["phase"], value=told))
    return EXIT_DONE


def _target(ledger: Ledger, found: BatchRecord, tag: str, value: str, unit: str, phase: str) -> dict[str, Any]:
    """What is overridden: a number that the running phase sets, in a unit of its dimension."""
    from seedtrain.gmp import batch_recipe
    from seedtrain.quantity import Quantity, number_text, parse

    running = [item for item in found.all_running if phase in ("", item.phase)]
    if not running:
        words = f"batch {found.batch} does not run {phase}" if phase else f"batch {found.batch} runs no phase"
        raise InputError(words, remedy="A target is overridden while its phase runs.")
    recipe = batch_recipe(ledger, found).recipe
    setting = [item for item in running if tag in recipe.phase(item.phase).set]
    if len(setting) > 1:
        names = ", ".join(item.phase for item in setting)
        raise InputError(f"{len(setting)} phases that run set {tag!r}", remedy=f"Name one: --phase, of {names}.")
    step = setting[0] if setting else running[0]
    place = recipe.phase_at(step.phase)
    wanted = place.phase.set.get(tag)
    if not isinstance(wanted, Quantity):
        known = ", ".join(name for name, item in place.phase.set.items() if isinstance(item, Quantity))
        raise InputError(f"{step.phase} sets no number {tag!r}", remedy=f"Override one of: {known or 'none'}.")
    given = parse(f"{value} {unit}".strip(), like=wanted.unit)
    return {
        "phase": step.phase,
        "unit": step.unit,
        "tag": tag,
        "value": number_text(given.value),
        "unit_of_measure": given.unit,
        "recipe": str(wanted),
        "origin": found.header.origin,
    }


def answer(
    batch: BatchName,
    *,
    confirm_holds: Annotated[bool, Parameter(negative="", help="Restart the batch too where it is held.")] = False,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Let a scripted crew answer what a simulated batch on a plant asks of people, until it is over; marked as such.

    Example: seedtrain batch answer PBS-001 --record record.db
    """
    import time

    from seedtrain.automation import batch_state
    from seedtrain.base import use_language
    from seedtrain.gmp import batch_recipe, batch_record
    from seedtrain.program import answer as answer_once
    from seedtrain.program import scripted_crew

    options = common or Common()
    done: list[str] = []
    with open_record(record) as ledger, use_language(options.lang):
        control = batch_recipe(ledger, batch_record(ledger.events(subject=batch), batch))
        crew = scripted_crew(ledger, control)
        while not batch_state(ledger, batch).state().is_final:
            did = answer_once(ledger, batch, crew, confirm=confirm_holds)
            if did:
                done.append(did)
                if not options.json:
                    print(_("scripted: {command}").format(command=did), flush=True)
            else:
                time.sleep(0.5)
        if options.json:
            print_json({"batch": batch, "scripted": True, "done": done})
    return EXIT_DONE


def add_to(app: App) -> None:
    """Add the commands to `seedtrain batch`; `start` and `resume` also know plants."""
    for name in ("start", "resume"):
        del app[name]
    for act in (start, resume, confirm, override, answer):
        app.command(act)
