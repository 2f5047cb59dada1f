"""Compiled metabolism: genome-scale models as certified region tables, and cultures that run on them."""

from seedtrain.simulation._metabolism._compile import MOST_CERTIFIED, compile_metabolism
from seedtrain.simulation._metabolism._dynamic import (
    Sensitivities,
    dynamic_fba,
    dynamic_fba_sensitivities,
    simulate_reactor,
)
from seedtrain.simulation._metabolism._ensemble import Ensemble, Span, draw, dynamic_fba_ensemble
from seedtrain.simulation._metabolism._integrate import Settings
from seedtrain.simulation._metabolism._kinetics import Constant, Feed, GasSupply, GasTransfer, Kinetics, Monod
from seedtrain.simulation._metabolism._moving import MovingBound, demand, parse_bound, uptake, usual_bounds
from seedtrain.simulation._metabolism._network import Drain, Edits, Network, parse_drain, parse_limits
from seedtrain.simulation._metabolism._reactor import Reactor, reactor
from seedtrain.simulation._metabolism._read import read_network
from seedtrain.simulation._metabolism._table import Certificate, Evaluation, LazyTable, RegionTable, Table

__all__ = [
    "MOST_CERTIFIED",
    "Certificate",
    "Constant",
    "Drain",
    "Edits",
    "Ensemble",
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
    "Settings",
    "Span",
    "Table",
    "compile_metabolism",
    "demand",
    "draw",
    "dynamic_fba",
    "dynamic_fba_ensemble",
    "dynamic_fba_sensitivities",
    "parse_bound",
    "parse_drain",
    "parse_limits",
    "reactor",
    "read_network",
    "simulate_reactor",
    "uptake",
    "usual_bounds",
]
