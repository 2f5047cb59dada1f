"""`seedtrain plant`: start a virtual plant, and see what a server offers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from datetime import datetime

    from seedtrain.automation import Access, Address, Scenario, Security, SpeaksEntry, Tag, TagDevice, TagValue
    from seedtrain.recipe import ControlRecipe

app = App(name="plant", help="Start a virtual plant, and see what a plant's server offers.")


@app.command
def start(
    plant: Path,
    *,
    recipe: Annotated[Path | None, Parameter(help="The recipe; recipe.yaml beside the plant file by default.")] = None,
    unit: Annotated[str | None, Parameter(help="The production vessel; the pilot vessel by default.")] = None,
    speed: Annotated[float | None, Parameter(help="Process time over real time; 1 by default.")] = None,
    lock_step: Annotated[
        bool, Parameter(help="The clock moves only when a client moves it, as fast as it can.", negative="")
    ] = False,
    clock: Annotated[
        str, Parameter(help="Where a running clock begins, as 2026-12-21T08:00Z; now by default. After a plant ended.")
    ] = "",
    port: Annotated[int, Parameter(help="The port on loopback; 0 takes a free one.")] = 4840,
    interval: Annotated[str, Parameter(help="Process time between two values of a function.")] = "6 min",
    seed: Annotated[int, Parameter(help="Of all noise.")] = 1,
    certificate: Annotated[
        Path | None, Parameter(help="The server's certificate: then clients must be trusted.")
    ] = None,
    private_key: Annotated[Path | None, Parameter(help="The key of the server's certificate.")] = None,
    trust: Annotated[
        list[Path] | None, Parameter(help="Certificate of a client that may connect.", negative="")
    ] = None,
    user: Annotated[str, Parameter(help="Who may connect; the password: SEEDTRAIN_OPCUA_PASSWORD.")] = "",
    control_recipe: Annotated[
        Path | None, Parameter(help="Write the control recipe that it can run here, for `batch start`; a new file.")
    ] = None,
    register_map: Annotated[
        Path | None, Parameter(help="Write the map of the Modbus registers here, if the plant speaks Modbus.")
    ] = None,
    state: Annotated[
        Path | None, Parameter(help="Keep the tanks in this file; a plant that was killed goes on from it.")
    ] = None,
    common: Common | None = None,
) -> int:
    """Serve a virtual plant over OPC UA, in which a batch of the recipe can run. Everything in it is simulated.

    Cultures in stirred tanks are integrated while they are driven; flasks and purification play back a simulation.
    It speaks Sparkplug B and Modbus too where the plant file says so under `speaks`.

    Example: seedtrain plant start examples/collagen/plant.yaml --speed 600

    Parameters
    ----------
    plant
        The plant file.
    """
    options = common or Common()
    import sys
    import tempfile
    from datetime import timedelta

    from seedtrain.automation import served_words, start_plant, write_scenario
    from seedtrain.base import InputError, use_language
    from seedtrain.program import read_plant
    from seedtrain.quantity import parse

    seconds, begins = parse(interval, like="h").magnitude("s"), _moment(clock)
    if lock_step and (speed is not None or begins is not None):
        raise InputError(
            "a clock in lock-step has no speed, and begins where its first client does",
            remedy="Leave --lock-step away, or --speed and --clock.",
        )
    pace = None if lock_step else 1.0 if speed is None else speed
    _require_new(control_recipe)
    security = _security(certificate, private_key, tuple(trust or ()), user, "--trust")
    if security is not None:
        security.check()
    speaks = _speaks(read_plant(plant).speaks, plant, register_map)
    with use_language(options.lang), tempfile.TemporaryDirectory(prefix="seedtrain-plant-") as folder:
        scenario, control, short = _scenario(
            plant, recipe or plant.parent / "recipe.yaml", unit, seed, as_json=options.json
        )
        path = Path(folder) / "scenario.json"
        write_scenario(path, scenario)
        process = start_plant(
            path,
            speed=pace,
            port=port,
            interval=timedelta(seconds=seconds),
            security=security,
            speaks=speaks,
            register_map=register_map,
            clock=begins,
            state=state,
            own_state=True,
        )
        try:
            if control_recipe is not None:
                _write_new(control_recipe, control.recipe.to_yaml())
            if options.json:
                said = {"speed": pace, "units": list(scenario.units), "origin": "simulated"}
                print_json({"url": process.url, "speaks": speaks.urls(), **said})
                sys.stdout.flush()
            else:
                words = served_words(scenario, process.url, pace)
                print(
                    "\n".join(
                        [words[0], *(f"  {url}" for url in speaks.urls().values()), *words[1:-1], *short, words[-1]]
                    ),
                    flush=True,
                )
            return process.wait()
        except KeyboardInterrupt:
            return EXIT_DONE
        finally:
            process.stop()


def _moment(text: str) -> datetime | None:
    """A moment with its time zone, UTC where none is given."""
    from datetime import UTC, datetime

    from seedtrain.base import InputError

    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--clock {text}: this is no moment", remedy="Write it as 2026-12-21T08:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _speaks(entry: SpeaksEntry, plant: Path, register_map: Path | None) -> SpeaksEntry:
    """What the plant file says, its files seen from there; a register map without Modbus is refused."""
    from seedtrain.base import InputError

    if register_map is not None and entry.modbus is None:
        raise InputError(
            f"{plant} does not speak Modbus, so that there is no register map",
            remedy="Add to the plant file: `speaks: {modbus: {port: 1502}}`.",
        )
    spark = entry.sparkplug
    if spark is None or not spark.authority:
        return entry
    beside = spark.model_copy(update={"authority": str(plant.parent / spark.authority)})
    return entry.model_copy(update={"sparkplug": beside})


def _security(
    certificate: Path | None, private_key: Path | None, trusted: tuple[Path, ...], user: str, option: str
) -> Security | None:
    """What the options say of certificates and user: all of it or nothing."""
    from seedtrain.automation import Security
    from seedtrain.base import InputError

    if certificate is not None and private_key is not None and trusted:
        return Security(certificate, private_key, trusted, user)
    if certificate is not None or private_key is not None or trusted or user:
        raise InputError(
            "a secure connection needs its own certificate, its key, and a certificate that it trusts",
            remedy=f"Give --certificate, --private-key and {option}; --user goes with them.",
        )
    return None


def _require_new(path: Path | None) -> None:
    """Refuse a file that is there."""
    from seedtrain.base import InputError, Position

    if path is not None and path.exists():
        raise InputError("the file exists", position=Position(str(path)), remedy="Give another name, or remove it.")


def _write_new(path: Path, text: str) -> None:
    """Write a file that must not exist."""
    from seedtrain.base import write_atomic

    _require_new(path)
    write_atomic(path, text)


def _scenario(
    plant_file: Path, recipe_file: Path, unit: str | None, seed: int, *, as_json: bool
) -> tuple[Scenario, ControlRecipe, list[str]]:
    """The batch of a recipe in a plant, simulated; the control recipe that it runs; and where the plant will differ."""
    from seedtrain.automation import LivePlant, scenario_of, short_words
    from seedtrain.development import scale
    from seedtrain.program import read_plant
    from seedtrain.recipe import read_recipe
    from seedtrain.simulation import read_culture

    plant, master = read_plant(plant_file), read_recipe(recipe_file)
    own = recipe_file.parent / master.culture
    named = str(own.resolve()) if own.is_file() else master.culture
    culture = read_culture(own if own.is_file() else master.culture)
    target = unit or plant.vessel_of_scale("pilot").name
    with shown_progress(as_json=as_json) as progress:
        (batch,) = scale(culture, plant.vessels, master, targets=[target], progress=progress)
    made = scenario_of(
        batch.control,
        production=batch.production,
        seeds=batch.seeds,
        steps=batch.steps,
        faults=plant.faults,
        units=tuple(plant.vessels),
        document=plant.document,
        seed=seed,
        live=LivePlant(named, plant.document.data["units"]),
    )
    return made, batch.control, short_words(made, [*batch.seeds, batch.production])


@app.command(name="browse")
def browse_server(
    url: str,
    *,
    write: Annotated[Path | None, Parameter(help="Write the draft of a mapping file, which must not exist.")] = None,
    registers: Annotated[Path | None, Parameter(help="The register map of a Modbus device.")] = None,
    limit: Annotated[str, Parameter(help="How long it may take; how long brokers are listened to.")] = "10 s",
    certificate: Annotated[Path | None, Parameter(help="Our certificate: then the connection is encrypted.")] = None,
    private_key: Annotated[Path | None, Parameter(help="The key of our certificate.")] = None,
    server_certificate: Annotated[
        Path | None, Parameter(help="The certificate of the server, or of who issued it, which we trust.")
    ] = None,
    user: Annotated[str, Parameter(help="Our user there.")] = "",
    password_fd: Annotated[
        int | None,
        Parameter(help="Read the password from this descriptor; else SEEDTRAIN_PLANT_PASSWORD, or _OPCUA_PASSWORD."),
    ] = None,
    common: Common | None = None,
) -> int:
    """Print what a server offers, and draft the mapping file through which batches drive it.

    `opc.tcp://host:4840`, `mqtt://host/spBv1.0/GROUP/EDGE` (Sparkplug B), `mqtt://host/pioreactor/UNIT`, either as
    `mqtts://`, `modbus://host:502/1` with its register map, and `sila://host:50052`.

    Example: seedtrain plant browse opc.tcp://127.0.0.1:4840/seedtrain/plant --write mapping.yaml

    Parameters
    ----------
    url
        The server's address.
    """
    options = common or Common()
    from seedtrain.automation import parse_address
    from seedtrain.base import InputError
    from seedtrain.quantity import parse

    address = parse_address(url)
    seconds = parse(limit, like="h").magnitude("s")
    if seconds <= 0:
        raise InputError(f"--limit {limit} leaves no time", remedy="Give a positive time, for instance 10 s.")
    _require_new(write)
    if registers is not None and address.scheme != "modbus":
        raise InputError(f"{url} has no registers", remedy="Give --registers with modbus:// alone.")
    if password_fd is not None:
        import os

        from seedtrain.cli._signing import Secrets

        secret = Secrets(password_fd).ask("")
        os.environ["SEEDTRAIN_OPCUA_PASSWORD"] = os.environ["SEEDTRAIN_PLANT_PASSWORD"] = secret
    if address.scheme == "opc.tcp":
        trusted = () if server_certificate is None else (server_certificate,)
        security = _security(certificate, private_key, trusted, user, "--server-certificate")
        return _browse_nodes(url, security, seconds, write, options)
    from seedtrain.automation import Access

    access = Access(server_certificate, certificate, private_key, user)
    return _browse_tags(address, access, registers, seconds, write, options)


def _browse_nodes(url: str, security: Security | None, limit: float, write: Path | None, options: Common) -> int:
    from seedtrain.automation import Session, browse, browsed_words, draft_mapping
    from seedtrain.base import use_language, write_atomic

    session = Session(url, patience=3.0, security=security)
    try:
        with shown_progress(as_json=options.json) as progress:
            root = browse(session, limit=limit, progress=progress)
    finally:
        session.close()
    with use_language(options.lang):
        if options.json:
            print_json({"url": url, "nodes": [_row(item) for depth, item in root.walk() if depth]})
        else:
            print("\n".join(browsed_words(root)))
        if write is not None:
            write_atomic(write, draft_mapping(root, url))
            if not options.json:
                print(f"{write}")
    return EXIT_DONE


def _browse_tags(
    address: Address, access: Access, registers: Path | None, limit: float, write: Path | None, options: Common
) -> int:
    import os

    from seedtrain.automation import device_words, draft_tag_mapping, open_device, read_register_map
    from seedtrain.base import use_language, write_atomic

    access.check()
    known = read_register_map(registers) if registers is not None else None
    with shown_progress(as_json=options.json) as progress:
        device = open_device(address, access, registers=known, listen=limit, progress=progress)
    try:
        identity, tags = device.identify(), device.tags()
        values = _read_all(device, [tag.name for tag in tags])
    finally:
        device.close()
    with use_language(options.lang):
        if options.json:
            rows = [_tag_row(tag, value) for tag, value in zip(tags, values, strict=True)]
            print_json({"url": str(address), "device": identity.device, "origin": identity.origin, "tags": rows})
        else:
            print("\n".join(device_words(identity, tags, values)))
        if write is not None:
            beside = "" if registers is None else os.path.relpath(str(registers), str(write.parent))
            write_atomic(write, draft_tag_mapping(address, identity, tags, registers=beside))
            if not options.json:
                print(f"{write}")
    return EXIT_DONE


def _read_all(device: TagDevice, names: list[str]) -> list[TagValue | None]:
    """The value of each tag; None for a command, and for a tag that its device does not have after all."""
    from seedtrain.base import InputError

    try:
        return list(device.read(names))
    except InputError:
        if len(names) == 1:
            return [None]
        return [value for name in names for value in _read_all(device, [name])]


def _tag_row(tag: Tag, value: TagValue | None) -> dict[str, object]:
    from datetime import datetime

    held = value.value if value is not None else None
    return {
        "name": tag.name,
        "kind": tag.kind,
        "value": held.isoformat() if isinstance(held, datetime) else held,
        "unit": tag.unit,
        "writable": tag.writable,
        "time": value.time.isoformat() if value is not None else None,
        "quality": value.quality if value is not None else None,
    }


def _row(node: object) -> dict[str, object]:
    from seedtrain.automation import Offered

    assert isinstance(node, Offered)
    value = node.value if isinstance(node.value, (str, int, float, bool, type(None))) else str(node.value)
    return {
        "name": node.name,
        "node": node.node,
        "kind": node.kind,
        "type": node.lads,
        "value": value,
        "unit": node.unit,
        "writable": node.writable,
    }
