"""Decide on what is stored, and write only if nobody has written meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from seedtrain.record import ConflictError, Ledger

T = TypeVar("T")


def at_head(ledger: Ledger, decide: Callable[[int], T]) -> T:
    """`decide(head)` until nobody has written between its reading and its writing (`append(..., at_head=head)`)."""
    while True:
        try:
            return decide(ledger.head.seq)
        except ConflictError:
            continue
