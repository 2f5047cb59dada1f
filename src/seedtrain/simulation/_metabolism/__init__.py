"""Compiled metabolism: genome-scale models as certified region tables, and cultures that run on them."""

from seedtrain.simulation._metabolism._compile import (
    MOST_CERTIFIED,
    compile_metabolism,
    explore_regions,
    keep_regions,
    stored_at,
)
from seedtrain.simulation._metabolism._declare import (
    culture_file_from_metabolism,
    culture_from_metabolism,
    usual_kinetics,
)
from seedtrain.simulation._metabolism._dynamic import (
    Sensitivities,
    dynamic_fba,
    dynamic_fba_sensitivities,
    simulate_reactor,
)
from seedtrain.simulation._metabolism._ensemble import DynamicEnsemble, Span, draw, dynamic_fba_ensemble
from seedtrain.simulation._metabolism._integrate import DynamicSettings
from seedtrain.simulation._metabolism._kinetics import Constant, Feed, GasSupply, GasTransfer, Kinetics, Monod
from seedtrain.simulation._metabolism._moving import MovingBound, demand, parse_bound, uptake, usual_bounds
from seedtrain.simulation._metabolism._network import Drain, Edits, Network, parse_drain, parse_limits
from seedtrain.simulation._metabolism._reactor import Reactor, reactor
from seedtrain.simulation._metabolism._read import read_network
from seedtrain.simulation._metabolism._table import (
    CompiledMetabolism,
    Evaluation,
    LazyTable,
    RegionTable,
    TableCertificate,
)

__all__ = [
    "MOST_CERTIFIED",
    "CompiledMetabolism",
    "Constant",
    "Drain",
    "DynamicEnsemble",
    "DynamicSettings",
    "Edits",
    "Evaluation",
    "Feed",
    "GasSupply",
    "GasTransfer",
    "Kinetics",
    "LazyTable",
    "Monod",
    "MovingBound",
    "Network",
    "Reactor",
    "RegionTable",
    "Sensitivities",
    "Span",
    "TableCertificate",
    "compile_metabolism",
    "culture_file_from_metabolism",
    "culture_from_metabolism",
    "demand",
    "draw",
    "dynamic_fba",
    "dynamic_fba_ensemble",
    "dynamic_fba_sensitivities",
    "explore_regions",
    "keep_regions",
    "parse_bound",
    "parse_drain",
    "parse_limits",
    "reactor",
    "read_network",
    "simulate_reactor",
    "stored_at",
    "uptake",
    "usual_bounds",
    "usual_kinetics",
]
