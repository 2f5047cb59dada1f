"""A packed column that binds the product: equilibrate, load, wash, elute, clean.

A lumped model. What is bound stays until elution; what is in the liquid or retarded leaves as from one well-mixed
stage, m(n) = m_eq + (m - m_eq) exp(-n / k) with n column volumes and capacity factor k (column volumes of liquid that
hold the same amount), which is the slowest wash-out that a column can have. Breakthrough is a logistic front.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._chromatography import Chromatogram
from seedtrain.simulation._downstream._column_levers import ELUTE_LEVERS, LOAD_LEVERS, WASH_LEVERS
from seedtrain.simulation._downstream._mix import ENDOTOXIN, Amounts, amounts, build, solids, solution
from seedtrain.simulation._downstream._operation import (
    LARGEST,
    Carry,
    Column,
    Operation,
    Settings,
)
from seedtrain.simulation._downstream._rate import pooled
from seedtrain.simulation._downstream._rate_column import begin, rate_levers
from seedtrain.simulation._downstream._result import course, result
from seedtrain.simulation._downstream._sources import (
    AIDA_PABST_1990,
    BROOKS_CRAMER_1992,
    DUAN_2017,
    PETSCH_1997,
    REICHELT_2006,
    WILSON_GEANKOPLIS_1966,
    ZIMMERMAN_2006,
)
from seedtrain.simulation._stream import StepResult, Stream

POROSITY: Final = 0.8
"""L of liquid per L of packed bed, between and inside beads; assumed for agarose."""
INTERSTITIAL: Final = 0.37
"""L of liquid between beads per L of packed bed; assumed."""
BEAD_DIAMETER: Final = 90e-6
"""m; assumed, a process resin."""
LIQUID_VISCOSITY: Final = 1.5e-3
"""Pa s at 10 degC with a few g/L of protein; assumed."""
SYSTEM_PRESSURE: Final = 0.3
"""bar of skid, frits and piping; assumed."""
PUMP_ENERGY: Final = 0.2
"""kWh per m3 pumped through skid and column; assumed."""


def captured(loading: float, width: float) -> float:
    """Mean fraction bound up to `loading` (load over capacity): the integral of a logistic front of `width`.

    The outlet reads c/c0 = 1 / (1 + exp(-(x - 1)/width)) at the loading x.
    """
    if loading <= 0:
        return 1.0
    at_end = _softplus((loading - 1.0) / width)
    at_start = _softplus(-1.0 / width)
    return min(1.0, max(0.0, 1.0 - width * (at_end - at_start) / loading))


def _softplus(value: float) -> float:
    return value + math.log1p(math.exp(-value)) if value > 0 else math.log1p(math.exp(value))


def bed_pressure(velocity: float, bed_height: float) -> float:
    """Pressure drop of bed and skid, bar; `velocity` cm/h, `bed_height` m. **Source** Blake-Kozeny, laminar."""
    speed = velocity / 100.0 / 3600.0
    slope = 150.0 * LIQUID_VISCOSITY * speed * (1.0 - INTERSTITIAL) ** 2 / (BEAD_DIAMETER**2 * INTERSTITIAL**3)
    return slope * bed_height * 1e-5 + SYSTEM_PRESSURE


def hours(column: Column, volumes: float, velocity: float) -> float:
    """Time for `volumes` column volumes in each cycle at `velocity` (cm/h), h."""
    return column.cycles * volumes * column.bed_height * 100.0 / velocity


def ready(settings: Settings, carry: Carry, *, loaded: bool) -> Column:
    """The column in use; an error where there is none, or none that is (not) loaded."""
    column = carry.column
    if column is None:
        raise settings.error(f"{settings.kind!r} has no column", "Equilibrate a column before it.")
    if loaded and column.content is None:
        raise settings.error(f"{settings.kind!r} has nothing on the column", "Load the column before it.")
    if not loaded and column.content is not None:
        raise settings.error("the product is still on the column", "Elute it before this phase.")
    return column


def run_equilibrate(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Size the column for the product that waits, and flush it; the stream waits unchanged.

    The liquid that leaves later, at loading, is counted as waste here, in place of what filled the column before.
    """
    feed = carry.stream
    if carry.column is not None and carry.column.content is not None:
        raise settings.error("the product is still on the column", "Elute it before this phase.")
    product = feed.masses.get("product", 0.0)
    if product <= 0:
        raise settings.error("there is no product to size the column for", "Check the yields of the steps before it.")
    one, cycles = settings.capped("column_volume", product / settings.number("load"))
    height = settings.number("bed_height")
    widest = 250.0 * math.pi * LARGEST["column_diameter"][0] ** 2 * height  # L
    salts = settings.materials.get(settings.word("material"), {}).get("salts", 0.0)
    parallel = 1 if "column_volume" in settings.limits else max(1, math.ceil(one / widest - 1e-9))
    column = Column(settings.word("resin"), one * cycles, height, cycles, parallel, salts=salts)
    volumes, velocity, material = settings.number("volumes"), settings.number("velocity"), settings.word("material")
    buffer = solution(settings, material, volumes * column.volume, feed)
    step = result(
        settings,
        (feed, buffer),
        feed,
        (dataclasses.replace(buffer, name="equilibration waste"),),
        hours(column, volumes, velocity),
        materials={material: (buffer.volume, "L"), column.resin: (one, "L")},
        utilities=pumped(buffer.volume),
        performance={**flow(column, velocity), "volumes": (volumes, ""), "load": (product / column.volume, "g/L")},
        equipment=sizes(column),
    )
    return step, dataclasses.replace(carry, column=column)


def flow(column: Column, velocity: float) -> dict[str, tuple[float, str]]:
    """Velocity and pressure figures."""
    return {"velocity": (velocity, "cm/h"), "pressure": (bed_pressure(velocity, column.bed_height), "bar")}


def sizes(column: Column) -> dict[str, tuple[float, str]]:
    """What the column is; `column_volume` is of one cycle in one of the columns that run in parallel."""
    one = column.volume / column.cycles / column.parallel
    area = one / 1000.0 / column.bed_height
    return {
        "column_volume": (one, "L"),
        "column_diameter": (math.sqrt(4.0 * area / math.pi), "m"),
        "bed_height": (column.bed_height, "m"),
        "cycles": (float(column.cycles), ""),
        "parallel": (float(column.parallel), ""),
    }


def pumped(volume: float) -> dict[str, tuple[float, str]]:
    """Electricity for `volume` L through the skid."""
    return {"electricity": (PUMP_ENERGY * volume / 1000.0, "kWh")}


def _binding(settings: Settings, feed: Stream, column: Column) -> tuple[float, float]:
    """Capacity (g/L) at the salts of the feed, and the load over it, host protein that competes included."""
    half = settings.lever("salt_half")
    capacity = settings.lever("capacity") / (1.0 + (feed.concentration("salts") / half) ** 2)
    rival = settings.lever("competition") * settings.lever("host_protein_bound") * feed.masses.get("host_protein", 0.0)
    return capacity, (feed.masses.get("product", 0.0) + rival) / column.volume / capacity


def _front(loading: float, passed: float, width: float, duration: float) -> dict[str, list[float]]:
    """The breakthrough curve that `captured` integrates: outlet over inlet against column volumes."""
    done = [index / 20.0 for index in range(21)]
    return {
        "time": [part * duration for part in done],
        "column_volumes": [part * passed for part in done],
        "breakthrough": [1.0 / (1.0 + math.exp(min(700.0, (1.0 - loading * part) / width))) for part in done],
    }


def _load(settings: Settings, feed: Stream, column: Column, share_bound: float) -> tuple[Stream, Stream, Amounts]:
    """What is on the column, what flows through, and what of it is bound tightly."""
    whole, particles = amounts(feed), solids(feed)
    shares = {
        "product": share_bound,
        "denatured_product": share_bound,
        "host_protein": settings.lever("host_protein_bound"),
        "dna": settings.lever("dna_bound"),
        ENDOTOXIN: settings.lever("endotoxin_bound"),
    }
    free = {key: whole[key] - particles[key] for key in whole}
    bound = {key: free[key] * shares.get(key, 0.0) for key in whole}
    tight = {key: bound[key] for key in shares}
    tight["host_protein"] *= settings.lever("host_protein_tight")
    in_bed = min(1.0, POROSITY * column.volume / feed.volume)
    content = {key: bound[key] + in_bed * (free[key] - bound[key]) for key in whole}
    through = {key: whole[key] - content[key] for key in whole}
    volume = in_bed * feed.volume
    held = build("on the column", volume, content, {}, feed)
    passing = {key: min(particles[key], through[key]) for key in whole}
    return held, build("flow-through", feed.volume - volume, through, passing, feed), tight


def run_load(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Bind the product up to the capacity; what does not bind flows through, but for what fills the bed."""
    column, feed = ready(settings, carry, loaded=False), carry.stream
    if settings.words.get("model", "capacity") != "capacity":
        return _load_by_rate(settings, carry, column)
    product = feed.masses.get("product", 0.0)
    capacity, loading = _binding(settings, feed, column)
    width = settings.lever("front_width")
    share_bound = captured(loading, width)
    loaded, waste, tight = _load(settings, feed, column, share_bound)
    velocity = settings.number("velocity")
    passed = feed.volume / column.volume
    step = result(
        settings,
        (feed,),
        loaded,
        (waste,),
        hours(column, passed, velocity),
        utilities=pumped(feed.volume),
        performance={
            **flow(column, velocity),
            "load": (product / column.volume, "g/L"),
            "loading": (loading, ""),
            "capacity": (capacity, "g/L"),
            "captured": (100.0 * share_bound, "%"),
        },
        equipment=sizes(column),
        trajectory=_front(loading, passed, width, hours(column, passed, velocity)),
        sources=(PETSCH_1997,),
    )
    held = dataclasses.replace(column, fed=product, content=loaded, tight=tight)
    return step, dataclasses.replace(carry, stream=loaded, column=held)


def _load_by_rate(settings: Settings, carry: Carry, column: Column) -> tuple[StepResult, Carry]:
    """As `run_load`, with what is caught of the product from a rate model."""
    feed, velocity = carry.stream, settings.number("velocity")
    product, passed = feed.masses.get("product", 0.0), feed.volume / column.volume
    free = product - solids(feed)["product"]
    rival = settings.lever("competition") * settings.lever("host_protein_bound") * feed.masses.get("host_protein", 0.0)
    capacity = max(settings.lever("capacity") - rival / column.volume, 0.05 * settings.lever("capacity"))
    start = begin(settings, column.bed_height, velocity, column.salts, capacity)
    rate, found = start.passed(passed, velocity, feed.concentration("salts"), free / feed.volume)
    caught = min(1.0, max(0.0, float(found.held[1] / found.loaded[1]))) if free > 0 else 0.0
    in_bed = min(1.0, POROSITY * column.volume / feed.volume)
    share_bound = max(0.0, (caught - in_bed) / (1.0 - in_bed)) if in_bed < 1.0 else 0.0
    loaded, waste, tight = _load(settings, feed, column, share_bound)
    # The rate model speaks for all of the product on the column, in liquid, pores and bound.
    tight["product"] = loaded.masses.get("product", 0.0)
    step = result(
        settings,
        (feed,),
        loaded,
        (waste,),
        hours(column, passed, velocity),
        utilities=pumped(feed.volume),
        performance={
            **flow(column, velocity),
            "load": (product / column.volume, "g/L"),
            "capacity": (capacity, "g/L"),
            "captured": (100.0 * caught, "%"),
        },
        equipment=sizes(column),
        trajectory=rate.trajectory(found, passed, column.cycles),
        sources=(PETSCH_1997, BROOKS_CRAMER_1992, WILSON_GEANKOPLIS_1966),
    )
    held = dataclasses.replace(column, fed=product, content=loaded, tight=tight, rate=rate)
    return step, dataclasses.replace(carry, stream=loaded, column=held)


def _leaked(column: Column, buffer: Stream, volumes: float, velocity: float) -> tuple[Column, float, Chromatogram]:
    """A wash by the rate model: the column after it and the part of the product that stays."""
    assert column.rate is not None
    before = column.rate.held
    rate, found = column.rate.passed(volumes, velocity, buffer.concentration("salts"))
    stays = min(1.0, max(0.0, rate.held / before)) if before > 0 else 1.0
    return dataclasses.replace(column, rate=rate), stays, found


def _washed(
    settings: Settings, column: Column, buffer: Stream, volumes: float, stays: float | None = None
) -> tuple[Amounts, Amounts, Amounts]:
    """What is bound, what is loose on the column, and what left, after `volumes` of `buffer`.

    - `stays`: the part of the bound product that stays, where a rate model tells it.
    """
    assert column.content is not None
    whole, comes = amounts(column.content), amounts(buffer)
    tight = {key: column.tight.get(key, 0.0) for key in whole}
    keep = dict(tight)
    leak = (1.0 - settings.lever("product_leak")) ** volumes if stays is None else stays
    keep["product"] *= leak
    keep["denatured_product"] *= leak
    if buffer.masses.get("detergent", 0.0) > 0 and column.irreducible is not None:
        removable = max(0.0, tight[ENDOTOXIN] - column.irreducible)
        fade = math.exp(-volumes / settings.lever("endotoxin_constant"))
        keep[ENDOTOXIN] = tight[ENDOTOXIN] - removable * (1.0 - fade)
    factors = {
        "detergent": POROSITY + settings.lever("detergent_factor"),
        "host_protein": max(POROSITY, settings.lever("host_protein_factor")),
    }
    loose: Amounts = {}
    gone: Amounts = {}
    for key in whole:
        factor = factors.get(key, POROSITY)
        even = comes[key] / volumes * factor
        before = whole[key] - tight[key]
        loose[key] = even + (before - even) * math.exp(-volumes / factor)
        gone[key] = max(0.0, whole[key] + comes[key] - keep[key] - loose[key])
    return keep, loose, gone


def _washing(
    settings: Settings, column: Column, buffer: Stream, volumes: float, duration: float
) -> dict[str, list[float]]:
    """What is on the column over the wash, for a plot: endotoxin of what was there, host protein and salts in g."""
    assert column.content is not None
    start = max(column.content.endotoxin, 1e-300)
    part_of = {"endotoxin": ENDOTOXIN, "host_protein": "host_protein", "salts": "salts"}
    states = []
    for index in range(21):
        done = volumes * index / 20.0
        share = dataclasses.replace(buffer, masses={name: mass * index / 20.0 for name, mass in buffer.masses.items()})
        keep, loose, _ = _washed(settings, column, share, max(done, 1e-9))
        states.append({name: keep[key] + loose[key] for name, key in part_of.items()})
    return {
        "time": [duration * index / 20.0 for index in range(21)],
        "column_volumes": [volumes * index / 20.0 for index in range(21)],
        "endotoxin_left": [100.0 * state["endotoxin"] / start for state in states],
        "host_protein_held": [state["host_protein"] for state in states],
        "salts_held": [state["salts"] for state in states],
    }


def run_wash(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Wash the loaded column; a buffer with detergent also frees endotoxin that the product carries."""
    column = ready(settings, carry, loaded=True)
    assert column.content is not None
    volumes, velocity, material = settings.number("volumes"), settings.number("velocity"), settings.word("material")
    buffer = solution(settings, material, volumes * column.volume, column.content)
    if buffer.masses.get("detergent", 0.0) > 0 and column.irreducible is None:
        left = column.tight.get(ENDOTOXIN, 0.0) * 10.0 ** -settings.lever("endotoxin_lrv")
        column = dataclasses.replace(column, irreducible=left)
    before, stays, found = column, None, None
    if column.rate is not None:
        column, stays, found = _leaked(column, buffer, volumes, velocity)
    keep, loose, gone = _washed(settings, column, buffer, volumes, stays)
    assert column.content is not None
    content = {key: keep[key] + loose[key] for key in keep}
    held = build("on the column", column.content.volume, content, {}, column.content)
    held = dataclasses.replace(held, pH=buffer.pH)
    waste = build("wash", buffer.volume, gone, {}, held)
    after = dataclasses.replace(column, content=held, tight=keep)
    step = result(
        settings,
        (column.content, buffer),
        held,
        (waste,),
        hours(column, volumes, velocity),
        materials={material: (buffer.volume, "L")},
        utilities=pumped(buffer.volume),
        performance={**flow(column, velocity), "volumes": (volumes, "")},
        equipment=sizes(column),
        trajectory=_washing(settings, before, buffer, volumes, hours(column, volumes, velocity))
        if found is None or column.rate is None
        else column.rate.trajectory(found, volumes, column.cycles),
        sources=(REICHELT_2006, ZIMMERMAN_2006, DUAN_2017, AIDA_PABST_1990)
        if buffer.masses.get("detergent", 0.0) > 0
        else (),
    )
    return step, dataclasses.replace(carry, stream=held, column=after)


_CARRIED: Final = {
    "product": "step_yield",
    "denatured_product": "denatured_carried",
    "host_protein": "host_protein_carried",
    "dna": "dna_carried",
    ENDOTOXIN: "endotoxin_carried",
}
"""The lever that says which part of what is bound elutes with enough buffer."""


def run_elute(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Elute into a pool; what stays on the column leaves with the cleaning and is counted as waste here."""
    column = ready(settings, carry, loaded=True)
    content = column.content
    assert content is not None
    volumes, velocity, material = settings.number("volumes"), settings.number("velocity"), settings.word("material")
    buffer = solution(settings, material, volumes * column.volume, content)
    whole, comes = amounts(content), amounts(buffer)
    done = -math.expm1(-volumes / settings.lever("elution_constant"))
    shares = {key: settings.lever(lever) for key, lever in _CARRIED.items()}
    pool_volume = settings.lever("pool_fraction") * buffer.volume
    rate, found, eluted = column.rate, None, done
    if rate is not None:
        on_column = rate.held
        rate, found = rate.passed(volumes, velocity, buffer.concentration("salts"))
        eluted = min(1.0, pooled(found, settings.lever("pool_fraction"))[0] / on_column) if on_column > 0 else 0.0
    liquid = pool_volume / (buffer.volume + content.volume)
    pool: Amounts = {}
    for key in whole:
        bound = column.tight.get(key, 0.0)
        part = eluted if key == "product" else done
        pool[key] = bound * shares.get(key, 0.0) * part + (whole[key] - bound + comes[key]) * liquid
    rest = {key: max(0.0, whole[key] + comes[key] - pool[key]) for key in whole}
    duration = hours(column, volumes, velocity)
    eluate = dataclasses.replace(build("eluate", pool_volume, pool, {}, content), pH=buffer.pH)
    waste = build(
        "rest of the eluate and of the column", buffer.volume + content.volume - pool_volume, rest, {}, content
    )
    column_yield = min(1.0, pool["product"] / column.fed) if column.fed > 0 else 0.0
    step = result(
        settings,
        (content, buffer),
        eluate,
        (waste,),
        duration,
        materials={material: (buffer.volume, "L")},
        utilities=pumped(buffer.volume),
        performance={
            **flow(column, velocity),
            "volumes": (volumes, ""),
            # What a plant calls the yield of the column: eluate over load.
            "step_yield": (100.0 * column_yield, "%"),
        },
        equipment=sizes(column),
        trajectory=rate.trajectory(found, volumes, column.cycles)
        if found is not None and rate is not None
        else course(
            duration,
            column_volumes=lambda time: volumes * time / duration,
            eluted=lambda time: -100.0 * math.expm1(-volumes * time / duration / settings.lever("elution_constant")),
        ),
    )
    return step, dataclasses.replace(carry, stream=eluate, column=_emptied(column))


def _emptied(column: Column) -> Column:
    return dataclasses.replace(column, fed=0.0, content=None, tight={}, irreducible=None, rate=None)


def run_clean(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Clean the empty column; the stream waits."""
    column = ready(settings, carry, loaded=False)
    volumes, material = settings.number("volumes"), settings.word("material")
    alkali = solution(settings, material, volumes * column.volume, carry.stream)
    contact = settings.number("contact_time")
    step = result(
        settings,
        (carry.stream, alkali),
        carry.stream,
        (dataclasses.replace(alkali, name="spent cleaning agent"),),
        contact * column.cycles,
        materials={material: (alkali.volume, "L")},
        utilities={**pumped(alkali.volume), "water": (2.0 * column.volume, "L")},
        performance={"volumes": (volumes, ""), "contact_time": (contact, "h")},
        equipment=sizes(column),
    )
    return step, carry


_FLOW: Final = {"volumes": "", "velocity": "cm/h"}
COLUMN_OPERATIONS: Final = (
    Operation(
        "equilibrate",
        {**_FLOW, "bed_height": "m", "load": "g/L"},
        ("resin", "material"),
        (),
        run_equilibrate,
    ),
    Operation(
        "load",
        {"velocity": "cm/h"},
        (),
        LOAD_LEVERS,
        run_load,
        dict.fromkeys(("lumped_rate", "general_rate"), rate_levers(LOAD_LEVERS)),
    ),
    Operation("wash", _FLOW, ("material",), WASH_LEVERS, run_wash),
    Operation("elute", _FLOW, ("material",), ELUTE_LEVERS, run_elute),
    Operation("clean", {"volumes": "", "contact_time": "h"}, ("material",), (), run_clean),
)
