"""The parameters of a column that binds, with their ranges and where they come from."""

from __future__ import annotations

from typing import Final

from seedtrain.simulation._downstream._operation import assumed, share, sourced
from seedtrain.simulation._downstream._sources import (
    AIDA_PABST_1990,
    DUAN_2017,
    PETSCH_1997,
    REICHELT_2006,
    ZIMMERMAN_2006,
)

LOAD_LEVERS: Final = (
    assumed("capacity", 60.0, 35.0, 90.0, "g/L", "assumed: a strong cation exchanger for a 45 kDa random coil"),
    assumed("front_width", 0.08, 0.04, 0.2, "", "assumed: width of the breakthrough front over the capacity"),
    assumed("salt_half", 20.0, 12.0, 40.0, "g/L", "assumed: salts that halve the capacity"),
    assumed("competition", 0.3, 0.0, 1.0, "", "assumed: capacity that a gram of dissolved host protein takes"),
    share("host_protein_bound", 0.5, 0.3, 0.8, "assumed: host protein that binds at the pH of the load"),
    share(
        "host_protein_tight", 0.02, 0.008, 0.05, "assumed: basic part of it that a neutral wash leaves; no ribosomes"
    ),
    share("dna_bound", 0.01, 0.003, 0.03, "assumed: DNA that is carried by the basic product"),
    share("endotoxin_bound", 0.1, 0.04, 0.2, f"assumed; {PETSCH_1997}: basic proteins act as endotoxin carriers"),
)
WASH_LEVERS: Final = (
    sourced(
        "endotoxin_lrv",
        2.5,
        2.0,
        4.0,
        "",
        f"endless wash with detergent; {REICHELT_2006}: above 99 % on the column; {DUAN_2017}: 4 in extraction of "
        f"collagen; {AIDA_PABST_1990}: 3 a cycle",
    ),
    assumed(
        "endotoxin_constant",
        2.5,
        1.5,
        5.0,
        "",
        f"assumed: column volumes that free all but 1/e, so that 12 free the 99 % of {REICHELT_2006}; "
        f"{ZIMMERMAN_2006} wash with 50",
    ),
    assumed("host_protein_factor", 2.0, 1.0, 4.0, "", "assumed: capacity factor of host protein that is loosely bound"),
    assumed("detergent_factor", 1.0, 0.2, 3.0, "", "assumed: capacity factor of detergent beyond the liquid"),
    share("product_leak", 0.001, 0.0, 0.003, "assumed: bound product lost with each column volume"),
)
ELUTE_LEVERS: Final = (
    share("step_yield", 0.93, 0.87, 0.97, "assumed: bound product in the pool after enough buffer"),
    assumed("elution_constant", 0.6, 0.3, 1.2, "", "assumed: column volumes that elute all but 1/e"),
    share("pool_fraction", 0.8, 0.6, 1.0, "assumed: eluate that is collected"),
    share("host_protein_carried", 0.4, 0.2, 0.7, "assumed: bound host protein that elutes in the pool"),
    share("denatured_carried", 0.5, 0.2, 0.8, "assumed: bound denatured product that elutes in the pool"),
    share("dna_carried", 0.3, 0.1, 0.7, "assumed: bound DNA that elutes in the pool"),
    share("endotoxin_carried", 0.9, 0.7, 1.0, "assumed: bound endotoxin that elutes with its carrier"),
)
