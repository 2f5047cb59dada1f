"""The end of the ledger, from which the next commit goes on: as it is stored, and as the newest anchor knows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seedtrain.base import IntegrityError, Position
from seedtrain.record._event import decode
from seedtrain.record._store import Tail
from seedtrain.record._verifier import Tree, parse_checkpoint


@dataclass(frozen=True)
class State:
    """The end of the ledger: its size, the digest and time of its last event, and its last checkpoint."""

    size: int
    digest: str
    recorded_at: str
    tree: Tree
    note: str


def state_of(tail: Tail, path: Path) -> State:
    """The state that the stored tail stands for; `IntegrityError` where event and checkpoint do not fit each other."""
    peaks = [tail.peaks[at : at + 32] for at in range(0, len(tail.peaks), 32)]
    parsed = parse_checkpoint(tail.note.partition("\n\n")[0] + "\n")
    if parsed is None or len(peaks) != tail.size.bit_count():
        raise IntegrityError(
            "the last checkpoint cannot be read", position=Position(str(path)), remedy="Run: seedtrain record verify."
        )
    tree = Tree(tail.size, peaks)
    event = decode(tail.body)
    if parsed[1] != tail.size or parsed[2] != tree.root() or event.seq != tail.size:
        raise IntegrityError(
            f"the last checkpoint is not that of {tail.size} events",
            position=Position(str(path)),
            remedy="Run: seedtrain record verify.",
        )
    return State(tail.size, event.digest, event.recorded_at, tree, tail.note)


def check_tail(state: State, newest: tuple[int, bytes] | None, path: Path) -> None:
    """Refuse a ledger that ends before its newest anchor (size and root), or differently."""
    size, root = newest or (0, b"")
    if size > state.size or (size == state.size and root != state.tree.root()):
        raise IntegrityError(
            f"an anchor stands for {size} events, the ledger has {state.size}: its tail is cut or rewritten",
            position=Position(str(path)),
            remedy="Write nothing more; run `seedtrain record verify` and restore a backup.",
        )
