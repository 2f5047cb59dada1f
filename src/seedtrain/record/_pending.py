"""What a commit will add to the ledger, before it is written; what it is linked to may not be on the disk either."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from seedtrain.record._event import Event, LaterDraft, Prepared, new_identities, place
from seedtrain.record._state import State
from seedtrain.record._verifier import Tree

_sha256: Final = hashlib.sha256


@dataclass(frozen=True)
class Wish:
    """What one caller asks for. `at_head`: only if the ledger still ends there.

    - `plain`: the drafts once more, where the wish can be granted without a look at what is stored; else None.
    """

    drafts: tuple[Prepared | LaterDraft, ...]
    at_head: int | None
    plain: tuple[Prepared, ...] | None


class Pending:
    """The events of a commit, each caller's all or none, and the state in which they leave the ledger.

    - `base`: the state that they are linked to.
    """

    def __init__(self, base: State) -> None:
        self.base = base
        self.recorded_at = base.recorded_at
        self.size, self.digest = base.size, base.digest
        self.events: list[Event] = []
        self.leaves: list[bytes] = []
        self.by_id: dict[str, Event] = {}  # those that somebody may know already
        self.granted = 0  # how many of the commit's wishes have been dealt with
        self.state: State | None = None  # once closed by a checkpoint
        self._names = new_identities()

    def put(self, ready: Prepared) -> Event:
        """Link one event to the end."""
        identity = ready.draft.id or next(self._names)
        event = place(ready, self.size + 1, self.digest, identity, self.recorded_at)
        self.digest, self.size = event.digest, event.seq
        self.events.append(event)
        self.leaves.append(_sha256(b"\x00" + event.body).digest())
        self.by_id[identity] = event
        return event

    def put_all(self, drafts: Iterable[Prepared]) -> tuple[Event, ...]:
        """Link drafts without an id of their own: what `put` does for one after the other, or nothing at all."""
        seq, prev, made = self.size, self.digest, []
        for ready, identity in zip(drafts, self._names, strict=False):
            seq += 1
            event = place(ready, seq, prev, identity, self.recorded_at)
            prev = event.digest
            made.append(event)
        self.leaves += [_sha256(b"\x00" + event.body).digest() for event in made]
        self.events += made
        self.size, self.digest = seq, prev
        return tuple(made)

    def mark(self) -> tuple[int, str]:
        """What `back` needs to forget all that is put from here on."""
        return self.size, self.digest

    def back(self, mark: tuple[int, str]) -> None:
        """Forget everything put since `mark`."""
        kept = len(self.events) - (self.size - mark[0])
        self.size, self.digest = mark
        for event in self.events[kept:]:
            self.by_id.pop(event.id, None)
        del self.events[kept:], self.leaves[kept:]

    def tree(self) -> Tree:
        """The Merkle tree with these events in it."""
        tree = Tree(self.base.size, self.base.tree.peaks)
        tree.extend(self.leaves)
        return tree
