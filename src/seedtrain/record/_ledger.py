"""The ledger: one writer at a time appends events, each commit closed by a signed checkpoint and anchored outside."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError, signed_bytes
from seedtrain.record._anchors import AnchorFile
from seedtrain.record._clock import CLOCK_TOLERANCE_S, Clock, behind_s, clock_draft, wall_clock
from seedtrain.record._event import (
    SYSTEM,
    Draft,
    Event,
    LaterDraft,
    Prepared,
    decode,
    moment,
    place,
    prepare,
    timestamp,
)
from seedtrain.record._group import GroupCommit, Request
from seedtrain.record._keys import KeyFolder, SigningKey
from seedtrain.record._pending import Pending, Wish
from seedtrain.record._state import State, check_tail, state_of
from seedtrain.record._stored import StoredError
from seedtrain.record._stores import Store, anchor_path, key_path, ledger_path, open_store
from seedtrain.record._verifier import (
    FORMAT,
    NO_EVENT,
    Tree,
    checkpoint_text,
    key_id,
    leaf_hash,
    signature_fault,
)

ALERT: Final = "alert.raised"
Beside = TypeVar("Beside")
_Request = Request[Wish, tuple[Event, ...]]
_READING: Final = ("person.enrolled", "signature.applied")  # whether they are taken depends on what is stored


class ConflictError(UnavailableError):
    """Somebody else wrote since the caller read; nothing was stored."""


class _ForgedError(InputError):
    """A signature that does not hold: refused, and somebody must look at it."""

    def __init__(self, message: str, draft: Draft) -> None:
        super().__init__(message, remedy="Sign anew; the refusal is among the alerts.")
        payload = {"kind": "signature", "words": f"{message} (of {draft.subject})", "until": None}
        self.alert = Draft(ALERT, draft.actor, payload, SYSTEM)


@dataclass(frozen=True)
class Head:
    """The last event: its seq (0: none) and the digest that the next event will name in `prev`."""

    seq: int
    digest: str


def open_ledger(
    url: str | Path,
    *,
    create: bool = True,
    read_only: bool = False,
    anchors: Path | None = None,
    clock: Clock | None = None,
) -> Ledger:
    """Open a ledger, or make a new one.

    - `url`: a path, `sqlite:///` and a path (`sqlite:////` and an absolute one), or
      `postgresql://USER@HOST/DATABASE?ledger=NAME&files=FOLDER`.
    - `anchors`: the anchor file; `record.db.anchors` beside `record.db` if not given.
    - `clock`: tells the wall-clock time, zone aware.

    Raises `InputError` (no such ledger, not a ledger), `UnavailableError` (disk, lock, unsound SQLite),
    `IntegrityError` (the tail is cut or does not hold).
    """
    path = ledger_path(url)
    if create and not read_only and not path.parent.is_dir():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"the folder cannot be made: {error.strerror}", position=Position(str(path.parent))
            ) from error
    store = open_store(url, create=create and not read_only, read_only=read_only)
    try:
        return Ledger(store, anchors or anchor_path(path), clock or wall_clock, read_only=read_only)
    except BaseException:
        store.close()
        raise


class Ledger:
    """An append-only, signed record. One object may be shared by threads; other processes may write between."""

    def __init__(self, store: Store, anchors: Path, clock: Clock, *, read_only: bool) -> None:
        self.path = store.path
        self.keys = KeyFolder(key_path(store.path))
        self.read_only = read_only
        self._store = store
        self._anchors = AnchorFile(anchors)
        self._clock = clock
        self._lock = threading.RLock()
        self._group: GroupCommit[Wish, tuple[Event, ...]] = GroupCommit(self._commit, self._ready)
        self._clock_flagged = False
        self._beside: dict[str, Any] = {}
        self._key: SigningKey | None = None
        self._key_id = b""
        self._state = State(0, NO_EVENT, "", Tree(), "")
        self._ahead: State | None = None  # in which the commit that is being written will leave the ledger
        self._linked: Pending | None = None  # to `_ahead`, and written next
        if not read_only and store.empty:
            self._create()
        newest = self._anchors.newest()  # before the tail is read: another process may be writing
        self._catch_up()
        self.id = self._origin()
        check_tail(self._state, newest, self.path)
        if not read_only and (newest is None or newest[0] < self._state.size):
            self._anchors.append(store.notes(after=newest[0] if newest else 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let the files go."""
        with self._lock:
            while self._beside:
                self._beside.popitem()[1].close()
            self._anchors.close()
            self._store.close()

    def beside(self, name: str, make: Callable[[], Beside]) -> Beside:
        """What is kept open beside the ledger under this name, made at the first asking; closed with the ledger."""
        with self._lock:
            if name not in self._beside:
                self._beside[name] = make()
            found: Any = self._beside[name]
            return found  # type: ignore[no-any-return]

    @property
    def head(self) -> Head:
        """The last event as it is stored now."""
        with self._lock:
            self._catch_up()
            return Head(self._state.size, self._state.digest)

    @property
    def checkpoint(self) -> str:
        """Size and Merkle root of the last checkpoint, as a person's signature names it: `17:9f0c...`."""
        with self._lock:
            self._catch_up()
            return f"{self._state.size}:{self._state.tree.root().hex()}"

    @property
    def note(self) -> str:
        """The last checkpoint as the signed note that is stored and anchored."""
        with self._lock:
            self._catch_up()
            return self._state.note

    def note_over(self, seq: int) -> str:
        """The first signed checkpoint that covers the event `seq`: it stays the same however the ledger grows."""
        found = next(iter(self._store.notes(after=seq - 1)), None)
        if found is None:
            raise InputError(f"no checkpoint covers seq {seq}", remedy=_VERIFY)
        return found

    @property
    def now(self) -> datetime:
        """The time as the ledger tells it: never before the last recorded one."""
        wall = self._clock()
        with self._lock:
            self._catch_up()
            return max(wall, moment(self._state.recorded_at))

    @property
    def clock_behind_s(self) -> float:
        """Seconds by which the wall clock stands behind the last recorded time; 0 if it does not."""
        with self._lock:
            self._catch_up()
            wall = self._clock()
            return behind_s(wall, timestamp(wall), self._state.recorded_at)

    def events(
        self, subject: str | None = None, type: str | None = None, after: int = 0, until: int | None = None
    ) -> Iterator[Event]:
        """The events in (`after`, `until`] in order, of a subject or type if asked; `until`: the head if not given."""
        until = self._store.size() if until is None else until
        for body in self._store.bodies(after=after, until=until, subject=subject, type=type):
            event = decode(body)
            if subject not in (None, event.subject) or type not in (None, event.type):
                raise IntegrityError(f"the index leads to seq {event.seq}, which it should not", remedy=_VERIFY)
            yield event

    def find(self, identity: str) -> Event | None:
        """The event of this id."""
        body = self._store.find(identity)
        return None if body is None else decode(body)

    def append(self, *drafts: Draft | LaterDraft, at_head: int | None = None) -> tuple[Event, ...]:
        """Append events in one commit and return them once they are on the disk: all of them or none.

        What several threads append at the same time shares one commit, one checkpoint and one signature; a caller who
        comes alone waits for nobody, and one among many at most 10 ms for the others.

        - `drafts`: a `Draft`, or a function that makes one from the events of this commit so far.
        - `at_head`: append only if the last event is still this one, else `ConflictError`.

        A draft whose `id` is stored already with the same content returns the stored event. Raises `InputError` (a
        draft that cannot be stored), `UnavailableError` (disk full, read-only, locked; nothing was acknowledged).
        """
        given = [draft for draft in drafts if isinstance(draft, Draft)]
        reads = at_head is not None or len(given) < len(drafts) or any(draft.type in _READING for draft in given)
        if not reads and all(draft.id is None and draft.corrects is None for draft in given):
            plain = tuple([prepare(draft) for draft in given])
            return self._group.ask(Wish(plain, None, plain))
        ready = tuple([prepare(draft) if isinstance(draft, Draft) else draft for draft in drafts])
        return self._group.ask(Wish(ready, at_head, None), alone=reads)

    def _ready(self, group: list[_Request]) -> None:
        """Link a group to the commit that is being written, if what is stored has no say in it; nothing is told."""
        base = self._ahead
        self._linked = None
        if base is None or any(request.asked.plain is None for request in group):
            return
        wall = self._clock()
        if behind_s(wall, timestamp(wall), base.recorded_at) > CLOCK_TOLERANCE_S:
            return
        linked = Pending(base)
        self._grant(group, linked, wall)
        self._linked = linked

    def _commit(self, group: list[_Request], go_on: Callable[[], None]) -> None:
        """Write the wishes of a group in one commit; a wish that cannot be granted leaves nothing behind.

        - `go_on`: called when the next group may be linked to this one, which is not on the disk by then.
        """
        ahead, self._linked = self._linked, None
        with self._lock:
            if self.read_only:
                raise UnavailableError(
                    "the ledger is open for reading only",
                    position=Position(str(self.path)),
                    remedy="Open it for writing, on storage that can be written.",
                )
            self._anchors.append(())  # a ledger that cannot be anchored takes nothing
            try:
                with self._store.transaction():
                    self._catch_up()
                    pending = self._pending(group, ahead)
                    if pending.state is not None:
                        self._ahead = pending.state
                        go_on()
                        peaks = b"".join(pending.state.tree.peaks)
                        self._store.add(pending.events, pending.leaves, pending.state.note, peaks)
            finally:
                self._ahead = None
            if pending.state is not None:
                self._state = pending.state
                self._clock_flagged |= any(event.type == "clock.checked" for event in pending.events)
                self._anchor(pending.state.note)

    def _pending(self, group: list[_Request], ahead: Pending | None) -> Pending:
        """The group linked to what is stored: as it was linked ahead, if what it was linked to was stored since."""
        if ahead is None or (ahead.base.size, ahead.base.digest) != (self._state.size, self._state.digest):
            ahead = Pending(self._state)
        self._grant(group, ahead, self._clock())
        return ahead

    def _grant(self, group: list[_Request], pending: Pending, wall: datetime) -> None:
        """Link what has not been linked of the group, and sign the checkpoint over it."""
        stamp = timestamp(wall)
        pending.recorded_at = max(stamp, pending.recorded_at)
        behind = behind_s(wall, stamp, pending.base.recorded_at)
        for request in group[pending.granted :]:
            before = pending.mark()
            request.answer = request.error = None  # it may have been linked to what was then not stored
            try:
                request.answer = self._place(request.asked, pending, wall, behind)
            except Exception as error:  # noqa: BLE001  # it is that caller's own
                pending.back(before)
                request.error = error
                if isinstance(error, _ForgedError):
                    pending.put(prepare(error.alert))
        pending.granted = len(group)
        if pending.events and (pending.state is None or pending.state.size != pending.size):
            tree = pending.tree()
            note = self._checkpoint(tree)
            pending.state = State(pending.size, pending.digest, pending.recorded_at, tree, note)

    def _anchor(self, note: str) -> None:
        # The events are durable and must be acknowledged; a missing anchor is written before the next commit.
        try:
            self._anchors.append((note,))
        except UnavailableError:
            self._anchors.owe(note)

    def _place(self, wish: Wish, pending: Pending, wall: datetime, behind: float) -> tuple[Event, ...]:
        """The events of one wish, put to the pending ones."""
        if wish.at_head is not None and wish.at_head != pending.size:
            raise ConflictError(
                f"the ledger has grown from {wish.at_head} to {pending.size} meanwhile",
                remedy="Read it again and decide anew.",
            )
        if wish.plain is not None and behind <= CLOCK_TOLERANCE_S:
            return pending.put_all(wish.plain)
        asked: list[Event] = []
        for entry in wish.drafts:
            ready = entry if isinstance(entry, Prepared) else prepare(entry(tuple(asked)))
            draft = ready.draft
            event = None if draft.id is None else self._stored(draft, draft.id, pending)
            if event is None:
                if behind > CLOCK_TOLERANCE_S and not self._clock_flagged and not pending.events:
                    pending.put(prepare(clock_draft(wall, pending.base.recorded_at, behind)))
                if draft.corrects is not None or draft.type in _READING:
                    self._guard(draft, pending)
                event = pending.put(ready)
            asked.append(event)
        return tuple(asked)

    def _stored(self, draft: Draft, identity: str, pending: Pending) -> Event | None:
        found = pending.by_id.get(identity) or self.find(identity)
        if found is not None and _content(found) != _content(draft):
            raise StoredError(found, draft)
        return found

    def _guard(self, draft: Draft, pending: Pending) -> None:
        """What the ledger itself must not take: corrections of nothing, and signatures that do not hold."""
        if draft.corrects is not None and draft.corrects not in pending.by_id and self.find(draft.corrects) is None:
            raise InputError(
                f"there is no event {draft.corrects!r} to correct", remedy="Give the id of a stored event."
            )
        if draft.type == "person.enrolled" and (
            self.enrolment(draft.subject) is not None
            or any(event.type == draft.type and event.subject == draft.subject for event in pending.events)
        ):
            raise InputError(f"{draft.subject} is enrolled already", remedy="An identity is never used again.")
        if draft.type == "signature.applied":
            if next(self.events(subject=draft.actor, type="person.retired"), None) is not None:
                raise InputError(f"{draft.actor} is retired and cannot sign", remedy="Sign as somebody in service.")
            enrolled = self.enrolment(draft.actor)
            key = str(enrolled.payload.get("public_key")) if enrolled else None
            fault = signature_fault(draft.id or "", draft.actor, dict(draft.payload), key)
            if fault is None and draft.payload["checkpoint"] != self.checkpoint:
                fault = "it was not made at the ledger's last checkpoint"
            if fault is not None:
                raise _ForgedError(f"the signature of {draft.actor} is refused: {fault}", draft)

    def enrolment(self, actor: str) -> Event | None:
        """The event that enrolled this person; None for a stranger."""
        return next((event for event in self.events(subject=actor, type="person.enrolled")), None)

    def _checkpoint(self, tree: Tree) -> str:
        if self._key is None:
            self._key = self.keys.server(create=False)
        if not self._key_id:
            self._key_id = key_id(self.id, self._key.public)
        text = checkpoint_text(self.id, tree.size, tree.root())
        raw = self._key_id + self._key.sign(text.encode("utf-8"))
        return f"{text}\n\u2014 {self.id} {base64.b64encode(raw).decode('ascii')}\n"

    def _create(self) -> None:
        """Lay a new ledger out with its first event, which names the format and the server's public key."""
        self._key = self.keys.server(create=True)
        with self._store.transaction():
            if not self._store.empty:  # another process was first
                return
            self._store.lay_out()
            self.id = f"seedtrain.ledger/{uuid.uuid4().hex}"
            payload = {"format": FORMAT, "ledger": self.id, "public_key": self._key.public.hex()}
            ready = prepare(Draft("ledger.created", "ledger", payload, SYSTEM))
            recorded_at = timestamp(self._clock())
            event = place(ready, 1, NO_EVENT, uuid.uuid4().hex, recorded_at)
            tree, leaf = Tree(), leaf_hash(event.body)
            tree.add(leaf)
            self._store.add([event], [leaf], self._checkpoint(tree), b"".join(tree.peaks))

    def _origin(self) -> str:
        first = next(self._store.bodies(until=1), None)
        payload = decode(first).payload if first else {}
        if payload.get("format") != FORMAT:
            raise InputError(
                "this file is not a ledger of this version", position=Position(str(self.path)), remedy=_VERIFY
            )
        return str(payload["ledger"])

    def _catch_up(self) -> None:
        """Take the stored tail as the state, if another process has moved it."""
        if self._store.size() == self._state.size and self._state.size:
            return
        tail = self._store.tail()
        if tail is None:
            raise InputError("the ledger is empty", position=Position(str(self.path)), remedy="Open it for writing.")
        self._state = state_of(tail, self.path)


_VERIFY: Final = "Run: seedtrain record verify."


def _content(entry: Draft | Event) -> bytes:
    payload: Mapping[str, Any] = entry.payload
    return signed_bytes([entry.type, entry.subject, payload, entry.actor, entry.device, entry.reason, entry.corrects])
