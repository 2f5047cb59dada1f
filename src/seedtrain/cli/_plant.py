"""`seedtrain plant`: start a virtual plant, and see what a server offers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.automation import Scenario, Security

app = App(name="plant", help="Start a virtual plant, and see what a plant's server offers.")


@app.command
def start(
    plant: Path,
    *,
    recipe: Annotated[Path | None, Parameter(help="The recipe; recipe.yaml beside the plant file by default.")] = None,
    unit: Annotated[str | None, Parameter(help="The production vessel; the pilot vessel by default.")] = None,
    speed: Annotated[float, Parameter(help="Process time over real time.")] = 1.0,
    lock_step: Annotated[
        bool, Parameter(help="The clock moves only when a client moves it, as fast as it can.", negative="")
    ] = False,
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
    common: Common | None = None,
) -> int:
    """Serve a virtual plant over OPC UA, in which a batch of the recipe can run. Everything in it is simulated.

    Cultures in stirred tanks are integrated while they are driven; flasks and purification play back a simulation.

    Example: seedtrain plant start examples/collagen/plant.yaml --speed 600

    Parameters
    ----------
    plant
        The plant file.
    """
    options = common or Common()
    import tempfile
    from datetime import timedelta

    from seedtrain.automation import served_words, start_plant, write_scenario
    from seedtrain.base import use_language
    from seedtrain.quantity import parse

    seconds = parse(interval, like="h").magnitude("s")
    pace = None if lock_step else speed
    security = _security(certificate, private_key, tuple(trust or ()), user, "--trust")
    if security is not None:
        security.check()
    with use_language(options.lang), tempfile.TemporaryDirectory(prefix="seedtrain-plant-") as folder:
        scenario = _scenario(plant, recipe or plant.parent / "recipe.yaml", unit, seed, as_json=options.json)
        path = Path(folder) / "scenario.json"
        write_scenario(path, scenario)
        process = start_plant(path, speed=pace, port=port, interval=timedelta(seconds=seconds), security=security)
        try:
            if options.json:
                print_json({"url": process.url, "speed": pace, "units": list(scenario.units), "origin": "simulated"})
            else:
                print("\n".join(served_words(scenario, process.url, pace)), flush=True)
            return process.wait()
        except KeyboardInterrupt:
            return EXIT_DONE
        finally:
            process.stop()


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


def _scenario(plant_file: Path, recipe_file: Path, unit: str | None, seed: int, *, as_json: bool) -> Scenario:
    """The batch of a recipe in a plant, simulated."""
    from seedtrain.automation import LivePlant, scenario_of
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
    return scenario_of(
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


@app.command(name="browse")
def browse_server(
    url: str,
    *,
    write: Annotated[Path | None, Parameter(help="Write the draft of a mapping file, which must not exist.")] = None,
    certificate: Annotated[Path | None, Parameter(help="Our certificate: then the connection is encrypted.")] = None,
    private_key: Annotated[Path | None, Parameter(help="The key of our certificate.")] = None,
    server_certificate: Annotated[Path | None, Parameter(help="The server's certificate, which we trust.")] = None,
    user: Annotated[str, Parameter(help="Our user there; the password: SEEDTRAIN_OPCUA_PASSWORD.")] = "",
    common: Common | None = None,
) -> int:
    """Print what an OPC UA server offers, and draft the mapping file through which batches drive it.

    Example: seedtrain plant browse opc.tcp://127.0.0.1:4840/seedtrain/plant --write mapping.yaml

    Parameters
    ----------
    url
        The server's address.
    """
    options = common or Common()
    from seedtrain.automation import Session, browse, browsed_words, draft_mapping
    from seedtrain.base import InputError, Position, use_language, write_atomic

    if write is not None and write.exists():
        raise InputError("the file exists", position=Position(str(write)), remedy="Give another name, or remove it.")
    trusted = () if server_certificate is None else (server_certificate,)
    security = _security(certificate, private_key, trusted, user, "--server-certificate")
    session = Session(url, patience=3.0, security=security)
    try:
        root = browse(session)
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


def _row(node: object) -> dict[str, object]:
    from seedtrain.automation import Offered

    assert isinstance(node, Offered)
    value = node.value if isinstance(node.value, (str, int, float, bool, type(None))) else str(node.value)
    return {
        "name": node.name,
        "node": node.node,
        "kind": node.kind,
        "value": value,
        "unit": node.unit,
        "writable": node.writable,
    }
