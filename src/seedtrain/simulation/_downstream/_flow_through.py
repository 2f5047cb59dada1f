"""Anion exchange in flow-through: the basic product passes, endotoxin, DNA and acidic host protein bind."""

from __future__ import annotations

import dataclasses
from typing import Final

from seedtrain.simulation._downstream._column import captured, flow, hours, pumped, ready, sizes
from seedtrain.simulation._downstream._mix import ENDOTOXIN, split
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, share, sourced
from seedtrain.simulation._downstream._result import result
from seedtrain.simulation._downstream._sources import CHEN_2009, DUAN_2017, PETSCH_ANSPACH_2000
from seedtrain.simulation._stream import StepResult

LEVERS: Final = (
    sourced(
        "endotoxin_lrv",
        2.3,
        1.4,
        3.3,
        "",
        f"long residence; {CHEN_2009}: above 2000-fold (3.3) on Q XL; {DUAN_2017}: 0.9 to 1.9 for a little endotoxin "
        "bound to collagen, on a cationic resin",
    ),
    sourced("endotoxin_capacity", 9e5, 9e5, 5e6, "EU/mL", f"{CHEN_2009}: at least 900,000 EU per mL of Q XL"),
    assumed("dna_lrv", 4.0, 3.0, 6.0, "", "assumed: strong anion exchangers bind DNA at any process salt"),
    assumed("host_protein_lrv", 1.2, 0.8, 1.6, "", "assumed: acidic host protein binds, basic does not"),
    assumed("half_residence", 0.5, 0.2, 2.0, "min", "assumed: residence time at half the log reduction"),
    assumed("salt_limit", 18.0, 14.0, 30.0, "g/L", f"assumed: salts that halve it; {CHEN_2009}: fine up to 20 mS/cm"),
    share("step_yield", 0.95, 0.90, 0.98, f"assumed; {CHEN_2009}: above 80 %"),
)


def reduction(highest: float, residence: float, half: float, salts: float, limit: float) -> float:
    """Log reduction at `residence` (min) and `salts` (g/L), saturating with time and lost with salt."""
    return highest * residence / (residence + half) / (1.0 + (salts / limit) ** 4)


def run(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Pass the stream; what binds is waste."""
    column, feed = ready(settings, carry, loaded=False), carry.stream
    velocity = settings.number("velocity")
    residence = column.bed_height * 100.0 / velocity * 60.0
    salts = feed.concentration("salts")

    def lrv(lever: str) -> float:
        return reduction(
            settings.lever(lever), residence, settings.lever("half_residence"), salts, settings.lever("salt_limit")
        )

    challenge = feed.endotoxin / (column.volume * 1000.0) / settings.lever("endotoxin_capacity")
    held = captured(challenge, 0.1)
    passing = {
        ENDOTOXIN: 1.0 - held * (1.0 - 10.0 ** -lrv("endotoxin_lrv")),
        "dna": 10.0 ** -lrv("dna_lrv"),
        "host_protein": 10.0 ** -lrv("host_protein_lrv"),
        "product": settings.lever("step_yield"),
        "denatured_product": settings.lever("step_yield"),
    }
    outlet, waste = split(
        feed,
        ("flow-through", "bound on the column"),
        feed.volume,
        lambda key: passing.get(key, 1.0),
        lambda key: 1.0,
    )
    step = result(
        settings,
        (feed,),
        outlet,
        (waste,),
        hours(column, feed.volume / column.volume, velocity),
        utilities=pumped(feed.volume),
        performance={
            **flow(column, velocity),
            "residence_time": (residence, "min"),
            "load": (feed.masses.get("product", 0.0) / column.volume, "g/L"),
            "endotoxin_challenge": (100.0 * challenge, "%"),
        },
        equipment=sizes(column),
        sources=(CHEN_2009, DUAN_2017, PETSCH_ANSPACH_2000),
    )
    return step, dataclasses.replace(carry, stream=outlet)


FLOW_THROUGH: Final = Operation("flow_through", {"velocity": "cm/h"}, (), LEVERS, run)
