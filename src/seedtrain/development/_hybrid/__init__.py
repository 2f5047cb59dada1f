"""Hybrid cultures: a named rate learned from data inside fixed balances, always beside the culture's own form."""

from seedtrain.development._hybrid._blocks import hybrid_blocks, hybrid_lines
from seedtrain.development._hybrid._form import HybridRate, hybrid_rate
from seedtrain.development._hybrid._study import HeldOut, HybridStudy, check_hybrid, hybrid_study

__all__ = [
    "HeldOut",
    "HybridRate",
    "HybridStudy",
    "check_hybrid",
    "hybrid_blocks",
    "hybrid_lines",
    "hybrid_rate",
    "hybrid_study",
]
