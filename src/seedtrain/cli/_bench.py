"""`seedtrain bench`: what Seedtrain measures beside others, in one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import InputError
from seedtrain.cli._bench_fit import fit
from seedtrain.cli._bench_rows import tell_rows
from seedtrain.cli._common import Common, shown_progress

if TYPE_CHECKING:
    from seedtrain.automation import Case

app = App(name="bench", help="Measure speed, memory and errors beside other programs, in one run.")
app.command(fit)
Part = Literal["ensemble", "sensitivities", "cold", "memory", "dfba", "chromatography"]
Search = Literal["hartmann", "fed-batch", "media"]
PlantFile = Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")]
PlantUnit = Annotated[str | None, Parameter(help="The vessel; the pilot vessel by default.")]
Fill = Annotated[float, Parameter(help="Charged volume over the largest working volume.")]
Output = Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write the rows as JSON.")]


@app.command
def simulation(
    *,
    quick: Annotated[bool, Parameter(negative="", help="Little work: a check that it runs, no measurement.")] = False,
    only: Annotated[list[Part] | None, Parameter(negative="", help="This part; repeat it for more.")] = None,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """Ensembles, sensitivities, cold start, memory, dynamic flux balances, chromatography: beside every peer there is.

    Peers that are not installed are named with the package to install. What is compared is work per CPU second (user
    and system time, one thread each), so other work on the machine matters less; the best repeat counts.

    Example: seedtrain bench simulation --only ensemble --only sensitivities -o bench.json
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.simulation import bench_simulation

    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        rows = bench_simulation(quick=quick, only=only or (), progress=progress)
    return tell_rows(rows, options, output)


@app.command
def guides(
    genome: Path,
    *,
    count: Annotated[int, Parameter(help="Guides to search.")] = 100,
    mismatches: Annotated[int, Parameter(help="Sites up to here are found.")] = 4,
    seed: Annotated[int, Parameter(help="Which guides are drawn.")] = 0,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """The search for off-target sites, beside the same search letter by letter in numpy.

    Example: seedtrain bench guides genome.fa

    Parameters
    ----------
    genome
        FASTA, gzipped or not, of circles such as a bacterial genome.
    """
    if count < 1:
        raise InputError(f"--count {count}", remedy="Ask for one guide or more.")
    from seedtrain.bioinformatics import bench_guides

    return tell_rows(bench_guides(genome, guides=count, mismatches=mismatches, seed=seed), common or Common(), output)


@app.command
def clone(
    *,
    reads: Annotated[int, Parameter(help="Reads to simulate.")] = 2000,
    seed: Annotated[int, Parameter(help="Which reads are drawn.")] = 1,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """The verification of a clone, beside the alignment alone.

    Example: seedtrain bench clone --reads 2000
    """
    if reads < 1:
        raise InputError(f"--reads {reads}", remedy="Ask for one read or more.")
    from seedtrain.bioinformatics import bench_clone

    return tell_rows(bench_clone(reads=reads, seed=seed), common or Common(), output)


@app.command
def genomes(
    *,
    reads: Annotated[int, Parameter(help="Reads to simulate.")] = 1000,
    seed: Annotated[int, Parameter(help="Which reads are drawn.")] = 1,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """The classes of vector genomes, beside the alignment alone.

    Example: seedtrain bench genomes --reads 1000
    """
    if reads < 5:
        raise InputError(f"--reads {reads}", remedy="Ask for five reads or more: one of each kind.")
    from seedtrain.vectors import bench_genomes

    return tell_rows(bench_genomes(reads=reads, seed=seed), common or Common(), output)


@app.command
def sequence(
    genome: Path | None = None,
    *,
    guides: Annotated[int, Parameter(help="Guides to search.")] = 100,
    reads: Annotated[int, Parameter(help="Reads to simulate, of a clone and of a vector.")] = 2000,
    seed: Annotated[int, Parameter(help="Which guides and reads are drawn.")] = 1,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """Off-target search of guides, the verification of a clone, and the classes of vector genomes, beside their peers.

    Example: seedtrain bench sequence genome.fa -o bench.json

    Parameters
    ----------
    genome
        FASTA, gzipped or not, of a bacterial genome; a random one of the size of *E. coli*'s where none is given.
    """
    if guides < 1 or reads < 5:
        raise InputError(f"{guides} guides and {reads} reads", remedy="Ask for a guide and five reads, or more.")
    from seedtrain.bioinformatics import bench_sequence
    from seedtrain.vectors import bench_genomes

    options = common or Common()
    with shown_progress(as_json=options.json) as progress:
        rows = bench_sequence(genome, guides=guides, reads=reads, seed=seed, progress=progress)
        progress(0.8, "genomes")
        rows += bench_genomes(reads=reads, seed=seed)
    return tell_rows(rows, options, output)


@app.command
def record(
    *,
    folder: Annotated[Path | None, Parameter(help="Write here: the disk to measure.")] = None,
    quick: Annotated[bool, Parameter(negative="", help="Little work: a check that it runs, no measurement.")] = False,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """Durable appends to the ledger beside raw inserts of the same bytes, its verification, a batch opened for review.

    Example: seedtrain bench record --folder .
    """
    from seedtrain.gmp import bench_review
    from seedtrain.record import bench_record

    options = common or Common()
    with shown_progress(as_json=options.json) as progress:
        rows = bench_record(quick=quick, folder=folder, progress=progress)
        rows += bench_review(quick=quick, folder=folder, progress=progress)
    return tell_rows(rows, options, output)


@app.command
def development(
    *,
    quick: Annotated[bool, Parameter(negative="", help="Little work: a check that it runs, no measurement.")] = False,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """Costing: draws with their Sobol shares, derivatives, timetables, and a published plant's price.

    Example: seedtrain bench development -o bench.json
    """
    from seedtrain.development import bench_development

    options = common or Common()
    with shown_progress(as_json=options.json) as progress:
        rows = bench_development(quick=quick, progress=progress)
    return tell_rows(rows, options, output)


@app.command
def experiments(
    *,
    seeds: Annotated[int, Parameter(help="Campaigns of each tool, each with its own first runs and noise.")] = 16,
    first_seed: Annotated[int, Parameter(help="The first of the seeds.")] = 0,
    runs: Annotated[int, Parameter(help="Of each campaign: 30, or 60 for both figures.")] = 60,
    only: Annotated[list[Search] | None, Parameter(negative="", help="This problem; repeat it for more.")] = None,
    peer_python: Annotated[
        str | None, Parameter(help="A Python that has BoFire; SEEDTRAIN_BOFIRE, or this one, if left out.")
    ] = None,
    keep: Annotated[Path | None, Parameter(help="Keep runs here: the same bench goes on where it stopped.")] = None,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """The best that 30 and 60 runs find on three problems: with and without a model as prior, BoFire, Sobol sequence.

    Told is the true best value among the runs that truly hold the limits, the median of all seeds; and runs chosen per
    CPU second. Every tool reads the same noise in the same run of the same seed.

    Example: seedtrain bench experiments --seeds 4 --runs 30 --only hartmann --keep campaigns
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.development import bench_experiments

    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        rows = bench_experiments(seeds=seeds, first_seed=first_seed, runs=runs, only=only or (),
                                 peer_python=peer_python, keep=keep, progress=progress)  # fmt: skip
    return tell_rows(rows, options, output)


@app.command
def feeding(
    recipe: Path,
    *,
    plant: PlantFile = None,
    unit: PlantUnit = None,
    fill: Fill = 0.6,
    runs: Annotated[int, Parameter(help="Cultures, each a little different from the model.")] = 50,
    hours: Annotated[float, Parameter(help="From inoculation.")] = 30.0,
    seed: Annotated[int, Parameter(help="Which cultures and which noise are drawn.")] = 0,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """Feeding strategies in closed loop on an integrated tank: exponential, mu-stat, DO-stat, model-predictive.

    Every strategy is tried on the same cultures, whose parameters differ from the model's, with the same noise of the
    instruments. The goals are those of a predictive feed: more biomass than the recipe's exponential feed.

    Example: seedtrain bench feeding examples/collagen/recipe.yaml --runs 10

    Parameters
    ----------
    recipe
        The recipe, whose production is fed exponentially.
    """
    options = common or Common()
    from seedtrain.automation import compare_feeding, feeding_rows
    from seedtrain.base import use_language

    if not (runs >= 1 and hours > 0):
        raise InputError(
            f"{runs} runs of {hours:g} h cannot be compared", remedy="Give 1 run or more, and hours above 0."
        )
    case = _case(recipe, plant, unit, fill)
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        found = compare_feeding(case, runs=runs, hours=hours, seed=seed, progress=progress)
    return tell_rows(feeding_rows(found), options, output)


@app.command
def monitoring(
    recipe: Path,
    *,
    plant: PlantFile = None,
    unit: PlantUnit = None,
    fill: Fill = 0.6,
    golden: Annotated[int, Parameter(help="Good batches to learn from.")] = 60,
    fresh: Annotated[int, Parameter(help="Good batches to count false alarms on.")] = 40,
    batches: Annotated[int, Parameter(help="Batches with each fault.")] = 10,
    hours: Annotated[float, Parameter(help="Of feed, that are watched.")] = 10.0,
    seed: Annotated[int, Parameter(help="Which cultures and which noise are drawn.")] = 0,
    soft: Annotated[bool, Parameter(help="Soft sensors (RQ, mu, biomass) among the tags.", negative="")] = False,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """Golden-batch monitoring by batch PCA and PLS: how late planted faults are found, how often it cries for nothing.

    Batches of the virtual plant, each culture a little different from the model, instruments noisy. For each fault: the
    median delay, how many were found, by which statistic, and the tag that gave most to it. Then false alarms of models
    of few batches, several each. Goal: at most 5 % of good batches with an alarm, as far as the interval of their share
    can tell.

    Example: seedtrain bench monitoring examples/collagen/recipe.yaml --batches 5

    Parameters
    ----------
    recipe
        The recipe, whose production is fed exponentially.
    """
    options = common or Common()
    from seedtrain.automation import bench_monitoring, monitoring_rows
    from seedtrain.base import use_language

    case = _case(recipe, plant, unit, fill)
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        found = bench_monitoring(
            case,
            golden=golden,
            fresh=fresh,
            batches=batches,
            hours=hours,
            seed=seed,
            soft=soft,
            progress=progress,
        )
        rows = monitoring_rows(found)
    return tell_rows(rows, options, output)


@app.command
def plant(
    *,
    minutes: Annotated[float, Parameter(help="How long 2,000 tags are recorded.")] = 1.0,
    folder: Annotated[Path | None, Parameter(help="Write here: the disk to measure.")] = None,
    quick: Annotated[bool, Parameter(negative="", help="Little work: a check that it runs, no measurement.")] = False,
    output: Output = None,
    common: Common | None = None,
) -> int:
    """2,000 tags at 1 Hz over OPC UA to the disk, twenty plants of 20 tags on a core, and what telemetry costs.

    Counted: readings lost (goal: none), and how long one takes from the source's time to the client and to the disk.

    Example: seedtrain bench plant --minutes 10 --folder .
    """
    options = common or Common()
    from seedtrain.automation import bench_plant
    from seedtrain.base import use_language

    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        rows = bench_plant(minutes=minutes, quick=quick, folder=folder, progress=progress)
    return tell_rows(rows, options, output)


def _case(recipe: Path, plant: Path | None, unit: str | None, fill: float) -> Case:
    """What a recipe's production is fed like, in a vessel of the plant."""
    from seedtrain.automation import feeding_case
    from seedtrain.program import read_plant
    from seedtrain.quantity import Quantity
    from seedtrain.recipe import at_scale, read_recipe
    from seedtrain.simulation import StirredTank, read_culture

    if not 0 < fill <= 1:
        raise InputError(f"a filling of {fill:g}", remedy="Give a filling above 0 and up to 1.")
    master = read_recipe(recipe)
    here = read_plant(plant or recipe.parent / "plant.yaml")
    vessel = here.vessel(unit) if unit else here.vessel_of_scale("pilot")
    if not isinstance(vessel, StirredTank):
        raise InputError(f"{vessel.name} is no stirred tank", remedy="Give a stirred tank with --unit.")
    own = recipe.parent / master.culture
    volume = Quantity(fill * vessel.working_volume[1], "L")
    control = at_scale(master, unit=vessel.name, volume=volume)
    return feeding_case(read_culture(own if own.is_file() else master.culture), vessel, control.recipe)
