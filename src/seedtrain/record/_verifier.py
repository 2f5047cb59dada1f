"""Check a Seedtrain ledger without Seedtrain: this one file needs Python 3.11 and the package `cryptography`.

    python verify.py FOLDER [--key HEX] [--ca FILE]      exit code 0: pass, 1: fail, 3: inconclusive, 2: cannot be read

FOLDER is what `seedtrain record export` or `seedtrain batch export` wrote. What each check means stands in
`docs/reference/record.md`. Seedtrain itself verifies with this same file, so that there is one meaning of "verified".

**Sources** RFC 6962 section 2.1 (Merkle tree), C2SP tlog-checkpoint and signed-note (checkpoints), RFC 8032 (Ed25519),
RFC 8785 (canonical JSON; the subset without floats), RFC 3161 and RFC 5652 (time stamps).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import queue
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

FORMAT = "seedtrain-ledger/1"
NO_EVENT = "0" * 64  # `prev` of the first event
FIELDS = frozenset(
    "seq prev id type subject occurred_at recorded_at actor device payload reason corrects".split()  # noqa: SIM905
)
CRITERIA = ("chain", "roots", "signatures", "anchors", "key")
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
MOST_FINDINGS = 20  # of one criterion: a ruined ledger is not listed event by event


class Tree:
    """The RFC 6962 Merkle tree of a growing list, kept as the roots of its perfect subtrees, largest first."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        assert len(self.peaks) == size.bit_count()

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash (`leaf_hash` of the entry's bytes)."""
        peak, rest = leaf, self.size
        while rest & 1:
            peak, rest = _node(self.peaks.pop(), peak), rest >> 1
        self.peaks.append(peak)
        self.size += 1

    def extend(self, leaves: list[bytes]) -> None:
        """Append many leaf hashes: what `add` does for one after the other, level by level."""
        sha256, size, level, new = hashlib.sha256, self.size, leaves, []
        self.size += len(leaves)
        while level:
            if size & 1:
                level = [self.peaks.pop(), *level]
            if len(level) & 1:
                new.append(level[-1])
            pairs = iter(level)
            level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
            size >>= 1
        self.peaks += reversed(new)

    def root(self) -> bytes:
        """The Merkle tree hash of the entries so far."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        return _fold(self.peaks)


def _fold(peaks: list[bytes]) -> bytes:
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = _node(peak, root)
    return root


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def canonical(value: Any) -> bytes:
    """Canonical JSON bytes of data without floats."""
    return _ENCODER.encode(value).encode("utf-8")


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The text of a C2SP tlog-checkpoint that a signature covers."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n"


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes that name an Ed25519 key in a C2SP signed note."""
    return hashlib.sha256(name.encode("utf-8") + b"\n\x01" + public_key).digest()[:4]


def open_note(note: str, name: str, public_key: bytes) -> str | None:
    """The text of a C2SP signed note if the Ed25519 key `public_key` called `name` signed it, else None."""
    head, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        return None
    text = head + "\n"
    for line in signatures.splitlines():  # witnesses may have added lines of their own
        signer, _, encoded = line.removeprefix("\u2014 ").partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if signer == name and raw[:4] == key_id(name, public_key):
            return text if ed25519_holds(public_key, raw[4:], text.encode("utf-8")) else None
    return None


def parse_checkpoint(text: str) -> tuple[str, int, bytes] | None:
    """Origin, size and root of a checkpoint's text; None for anything else."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not lines[1].isascii() or not lines[1].isdecimal():
        return None
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError:
        return None
    return (lines[0], int(lines[1]), root) if len(root) == 32 and str(int(lines[1])) == lines[1] else None


def ed25519_holds(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` over `message` verifies."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signature_message(actor: str, payload: dict[str, Any]) -> bytes:
    """What a person signs: the canonical bytes of these six values."""
    names = ("record_digest", "meaning", "nonce", "checkpoint", "public_key")
    return canonical({"actor": actor, **{name: payload[name] for name in names}})


@dataclass(frozen=True)
class Finding:
    """One fault: which criterion, the first event that cannot be trusted (None: none in particular), and words."""

    criterion: str
    seq: int | None
    words: str


@dataclass
class Report:
    """What verification found."""

    events: int = 0
    checkpoints: int = 0
    anchors: int = 0
    signatures: int = 0
    head: str = NO_EVENT
    origin: str = ""
    findings: list[Finding] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)  # criterion -> why it could not be decided
    counts: dict[str, int] = field(default_factory=dict)
    complete: list[str] = field(default_factory=list)  # subjects of which an extract is known to leave nothing out
    stamps: list[str] = field(default_factory=list)  # what time stamp authorities say, in words

    def add(self, criterion: str, seq: int | None, words: str) -> None:
        """Note one fault; only the first few of each criterion are kept, all are counted."""
        self.counts[criterion] = self.counts.get(criterion, 0) + 1
        if self.counts[criterion] <= MOST_FINDINGS:
            self.findings.append(Finding(criterion, seq, words))

    @property
    def first_bad_seq(self) -> int | None:
        """The smallest seq that a fault names."""
        return min((fault.seq for fault in self.findings if fault.seq is not None), default=None)

    def verdict_of(self, criterion: str) -> str:
        """pass, fail or inconclusive for one criterion."""
        if self.counts.get(criterion):
            return "fail"
        return "inconclusive" if criterion in self.unknown else "pass"

    @property
    def criteria(self) -> tuple[str, ...]:
        """What was looked at; time stamps only where there are any."""
        stamped = ("stamps",) if self.stamps else ()
        return tuple(dict.fromkeys((*CRITERIA, *stamped, *self.counts)))

    @property
    def verdict(self) -> str:
        """The worst of the criteria."""
        found = {self.verdict_of(criterion) for criterion in self.criteria}
        return next(word for word in ("fail", "inconclusive", "pass") if word in found)

    def to_data(self) -> dict[str, Any]:
        """Plain data for `--json` and for people."""
        criteria = [
            {"name": name, "verdict": self.verdict_of(name), "faults": self.counts.get(name, 0)}
            for name in self.criteria
        ]
        return {
            "verdict": self.verdict,
            "first_bad_seq": self.first_bad_seq,
            "criteria": criteria,
            "findings": [vars(fault) for fault in self.findings],
            "unknown": self.unknown,
            "events": self.events,
            "checkpoints": self.checkpoints,
            "anchors": self.anchors,
            "signatures": self.signatures,
            "stamps": self.stamps,
            "origin": self.origin,
            "head": self.head,
            "complete": self.complete,
        }


Events = Callable[[], Iterable[tuple[bytes, bytes | None]]]
Notes = Callable[[], Iterable[str]]


def check(
    events: Events,
    checkpoints: Notes,
    anchors: Iterable[str] | None,
    server_key: bytes | None,
    authorities: bytes = b"",
) -> Report:
    """Verify one ledger: fast where nothing is wrong, and event by event where anything is.

    - `events`: exact bytes and the stored leaf hash (None where there is none), in order; called once or twice.
    - `checkpoints`: signed notes in order of size, one per commit; called once or twice.
    - `anchors`: the lines of the anchor file that is kept outside the database; None: there is no such file.
    - `server_key`: the server's public key from outside the ledger; None: only the ledger's own word is there.
    - `authorities`: certificates (PEM) of the time stamp authorities to trust, or of those who certify them.
    """
    lines = None if anchors is None else list(anchors)
    given = (checkpoints, lines, server_key, authorities)
    return _check_whole(events, *given) or _check_each(events, *given)


def _check_each(
    events: Events, checkpoints: Notes, anchors: list[str] | None, key: bytes | None, authorities: bytes = b""
) -> Report:
    """Every event by itself, in one pass: this finds and names the faults, and says what "verified" means."""
    report = Report()
    chain = _Chain(report)
    roots = _Roots(report, checkpoints(), anchors, key, authorities)
    people = _People(report, roots)
    for body, leaf in events():
        event = chain.take(body, leaf)
        roots.take(body, event, chain.seq)
        if event is not None:
            people.take(event)
    chain.close()
    roots.close(chain.seq)
    report.events, report.head = chain.seq, chain.previous
    return report


class _Chain:
    """Sequence, links, form and order of time of the events."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.seq = 0
        self.previous = NO_EVENT
        self.broken_link = 0  # an event whose `prev` is not the hash of the one before: whose fault is still open
        self.expected_seq = 1
        self.recorded_at = ""

    def take(self, body: bytes, leaf: bytes | None) -> dict[str, Any] | None:
        self.seq += 1
        event = _parse(body)
        whole = event is not None and (leaf is None or leaf == leaf_hash(body))
        if event is None:
            self._fault(self.expected_seq, "these are not the canonical bytes of an event")
        elif not whole:
            self._fault(self.expected_seq, "the event's bytes are not those that its stored hash was made of")
        elif event["seq"] != self.expected_seq:
            self._order(event["seq"])
        if event is not None and whole:
            self.expected_seq = event["seq"]
        self._link(event)
        if event is not None and event["recorded_at"] < self.recorded_at:
            self._fault(self.expected_seq, "recorded_at decreases")
        if event is not None and whole:
            self.recorded_at = event["recorded_at"]
        self.expected_seq += 1
        self.previous = hashlib.sha256(body).hexdigest()
        return event

    def _order(self, found: int) -> None:
        expected = self.expected_seq
        words = f"seq {expected} is missing" if found > expected else f"seq {found} stands where {expected} belongs"
        self._fault(min(expected, found), words)

    def _link(self, event: dict[str, Any] | None) -> None:
        holds = event is not None and event["prev"] == self.previous
        if self.broken_link:
            # If the suspect's own hash is what the next event holds, the suspect is whole and the one before it is not.
            self._unlinked(max(self.broken_link - 1, 1) if holds else self.broken_link)
        self.broken_link = self.expected_seq if event is not None and not holds else 0

    def close(self) -> None:
        if self.broken_link:
            self._unlinked(self.broken_link)

    def _unlinked(self, blamed: int) -> None:
        known = any(fault.seq == self.broken_link for fault in self.report.findings if fault.criterion == "chain")
        blamed = self.broken_link if known else blamed  # what was put in breaks the link to what stands after it
        self._fault(blamed, f"seq {self.broken_link} does not link to seq {self.broken_link - 1}")

    def _fault(self, seq: int, words: str) -> None:
        self.report.add("chain", seq, words)


class _Roots:
    """Checkpoints of the ledger and of its anchors against the Merkle tree of the events."""

    def __init__(
        self,
        report: Report,
        checkpoints: Iterable[str],
        anchors: list[str] | None,
        key: bytes | None,
        authorities: bytes = b"",
    ) -> None:
        self.report = report
        self.authorities = authorities
        self.notes = iter(checkpoints)
        self.given_key = key
        self.key = key or b""
        self.tree = Tree()
        self.last_good = 0
        self.first_fault = 0  # the place of the first event of which the tree cannot be the written one
        self.root_at: dict[int, bytes] = {}
        self.signed: dict[int, bytes] = {}
        self.anchored: dict[int, bytes] = {}
        self.anchor_lines = anchors
        self.opened: dict[bytes, tuple[int, bytes]] = {}  # by digest: an anchored note is mostly also the stored one
        self.next: tuple[int, bytes] | None = None
        self.started = False

    def take(self, body: bytes, event: dict[str, Any] | None, seq: int) -> None:
        if not self.started:
            self.start(event)
        self.tree.add(leaf_hash(body))
        if not self.first_fault and (event is None or event["seq"] != seq):
            self.first_fault = seq
        if seq in self.anchored:
            self._compare_anchor(seq)
        while self.next is not None and self.next[0] <= seq:
            size, root = self.next
            self._compare(size, root, seq)
            self.next = self.advance(size)

    def start(self, event: dict[str, Any] | None) -> None:
        """Take key, name and anchors by what the first event says."""
        self.started = True
        payload = event["payload"] if event and event["type"] == "ledger.created" else {}
        self.report.origin = str(payload.get("ledger", ""))
        if payload.get("format") != FORMAT:
            self.report.add("chain", 1, f"the first event does not open a ledger of the format {FORMAT}")
        own = _hex(payload.get("public_key"))
        if self.given_key is None:
            self.key = own
            self.report.unknown["key"] = "the server's public key is known only from the ledger itself"
        elif own != self.given_key:
            self.report.add("key", 1, "the ledger names another server key than the one given")
        self._read_anchors()
        self.next = self.advance(0)

    def _read_anchors(self) -> None:
        if self.anchor_lines is None:
            self.report.unknown["anchors"] = "there is no anchor file: a cut tail would not be seen"
            return
        lines = [line.rstrip("\n") for line in self.anchor_lines]
        for number, line in enumerate(lines, start=1):
            # A power loss may tear the last line; the writer then closes it off and writes that line again.
            torn = number < len(lines) and len(line) < len(lines[number]) and lines[number].startswith(line)
            if not line.strip() or torn:
                continue
            note, token = anchor_note(line), _token(line)
            parsed = self._open(note)
            if not note and self._torn(line, lines[: number - 1], last=not any(lines[number:])):
                continue
            if parsed is None:
                self.report.add("anchors", None, f"line {number} of the anchors is not a checkpoint of this ledger")
                continue
            self.report.anchors += 1
            size, root = parsed
            if self.anchored.setdefault(size, root) != root:
                self.report.add("anchors", None, f"the anchors hold two roots for size {size}")
            if token:
                take_stamp(self.report, size, note, token, self.authorities)
        if not self.report.anchors and "anchors" not in self.report.counts:
            self.report.unknown["anchors"] = "the anchor file is empty: a cut tail would not be seen"

    def _torn(self, line: str, before: list[str], *, last: bool) -> bool:
        """Whether a kill or a power loss cut this line off: the last one, or a time stamp, of which nobody was told.

        It hides nothing: whoever cuts a line off could as well have taken it away.
        """
        start = '{"checkpoint":"' + self.report.origin + "\\n"
        cut = (line.startswith(start) or start.startswith(line)) and not line.endswith('"}')
        return cut and (last or any(other and line.startswith(other[:-1]) for other in before))

    def _open(self, note: str) -> tuple[int, bytes] | None:
        mark = hashlib.sha256(note.encode("utf-8", "surrogatepass")).digest()
        if mark in self.opened:
            return self.opened[mark]
        text = open_note(note, self.report.origin, self.key)
        parsed = parse_checkpoint(text) if text else None
        if parsed is None or parsed[0] != self.report.origin:
            return None
        self.opened[mark] = parsed[1:]
        return parsed[1:]

    def advance(self, after: int) -> tuple[int, bytes] | None:
        """The next checkpoint whose signature holds."""
        for note in self.notes:
            self.report.checkpoints += 1
            parsed = self._open(note)
            if parsed is None:
                claimed = parse_checkpoint(note.partition("\n\n")[0] + "\n")
                seq = claimed[1] if claimed else after + 1
                self.report.add("signatures", seq, f"the server's signature of the checkpoint at size {seq} fails")
            elif parsed[0] <= after:
                self.report.add("roots", after, f"the checkpoint of size {parsed[0]} does not follow size {after}")
            else:
                self.signed[parsed[0]] = parsed[1]
                return parsed
        return None

    def _compare(self, size: int, root: bytes, seq: int) -> None:
        if size == seq and root == self.tree.root():
            self.root_at[size] = root
            self.last_good = size
            return
        where = min(self.last_good + 1, size)
        bound = self.first_fault if self.first_fault and self.first_fault > where else where
        words = f"the root signed at size {size} is not that of the events {bound} to {size}"
        self.report.add("roots", self._blame(bound, size), words)

    def _blame(self, low: int, high: int) -> int:
        """A fault that the chain has already placed between `low` and `high`, else `low`."""
        chain = [fault.seq for fault in self.report.findings if fault.criterion == "chain" and fault.seq is not None]
        return min((seq for seq in chain if low <= seq <= high), default=min([low, *chain]))

    def _compare_anchor(self, size: int) -> None:
        if self.anchored[size] != self.tree.root():
            seq = self._blame(self.last_good + 1, size)
            self.report.add("anchors", seq, f"the anchored root of size {size} is not that of the events")

    def close(self, seq: int) -> None:
        if not self.started:
            self.start(None)
        while self.next is not None:
            size = self.next[0]
            self.report.add("roots", seq + 1, f"a checkpoint stands for {size} events and there are {seq}")
            self.next = self.advance(size)
        newest = max(self.root_at, default=0)
        if newest < seq and not self.report.counts.get("roots"):
            self.report.add("roots", newest + 1, f"events {newest + 1} to {seq} stand under no checkpoint")
        for size in sorted(self.anchored):
            if size > seq:
                words = f"the tail is cut: an anchor stands for {size} events and there are {seq}"
                self.report.add("anchors", seq + 1, words)
            elif size not in self.signed:
                self.report.add("anchors", size, f"the checkpoint anchored at size {size} is gone from the ledger")


class _People:
    """Signatures of persons: by a key enrolled before, over this record and meaning, once."""

    def __init__(self, report: Report, roots: _Roots | _Proven) -> None:
        self.report = report
        self.roots = roots
        self.keys: dict[str, str] = {}
        self.retired: set[str] = set()
        self.nonces: set[str] = set()

    def take(self, event: dict[str, Any]) -> None:
        if event["type"] == "person.enrolled":
            if event["subject"] in self.keys:
                self.report.add("signatures", event["seq"], f"{event['subject']} is enrolled twice")
            self.keys.setdefault(event["subject"], str(event["payload"].get("public_key", "")))
        elif event["type"] == "person.retired":
            self.retired.add(event["subject"])
        elif event["type"] == "signature.applied":
            self.report.signatures += 1
            words = signature_fault(event["id"], event["actor"], event["payload"], self.keys.get(event["actor"]))
            if words is None and event["actor"] in self.retired:
                words = "this person was retired before"
            if words is None and event["payload"]["nonce"] in self.nonces:
                words = "this signature stands twice"
            if words is None:
                words = self._checkpoint_fault(event)
            if words is not None:
                self.report.add("signatures", event["seq"], f"the signature of {event['actor']}: {words}")
            self.nonces.add(str(event["payload"].get("nonce", "")))

    def _checkpoint_fault(self, event: dict[str, Any]) -> str | None:
        size, _, root = event["payload"]["checkpoint"].partition(":")
        known = self.roots.root_at.get(int(size)) if size.isdecimal() else None
        if known is None or int(size) >= event["seq"] or known.hex() != root:
            return f"the ledger has no checkpoint {event['payload']['checkpoint']}"
        return None


def signature_fault(identity: str, actor: str, payload: dict[str, Any], enrolled_key: str | None) -> str | None:
    """What is wrong with the payload of a `signature.applied` event, or None."""
    wanted = ("record_digest", "meaning", "nonce", "checkpoint", "public_key", "signature")
    if not all(isinstance(payload.get(name), str) for name in wanted):
        return "it lacks a part"
    if enrolled_key is None:
        return "nobody was enrolled under this identity before"
    if payload["public_key"] != enrolled_key:
        return "its key is not the one enrolled"
    if payload["nonce"] != identity:
        return "its nonce is not the identity of its event: it was moved or replayed"
    message = signature_message(actor, payload)
    if not ed25519_holds(_hex(payload["public_key"]), _hex(payload["signature"]), message):
        return "it does not hold for this record and meaning"
    return None


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(body)
        same = isinstance(event, dict) and canonical(event) == body
    except (ValueError, RecursionError):
        return None
    texts = ("prev", "id", "type", "subject", "occurred_at", "recorded_at", "actor")
    if not same or set(event) != FIELDS or type(event["seq"]) is not int or not isinstance(event["payload"], dict):
        return None
    return event if all(isinstance(event[name], str) for name in texts) else None


# The fast way. An event is canonical if it equals, byte by byte, a line in which everything but the scalars is written
# out as canonical JSON writes it, and every scalar is written as canonical JSON writes that scalar. Such lines are
# recognised by a regular expression for each layout of payload, learnt from an event that `_parse` has accepted. A
# chunk of events holds or does not; where one does not, `_check_each` starts at the first event and says what is wrong.

CHUNK = 1024  # events, a power of two: a chunk is a perfect subtree of the Merkle tree
CHUNKS_HERE = 8  # a ledger up to here is examined without helpers: they cost some 0.05 s to start
MOST_HELPERS = 8
LARGEST_CHUNK_BYTES = 2**26
MOST_LAYOUTS = 64
LARGEST_LAYOUT_BYTES = 2**14
_TEXT = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\bfnrt]|u00(?:0[0-7bef]|1[0-9a-f]))[^"\\\x00-\x1f]*+)*+"'
_SCALAR = rb"(?:" + _TEXT + rb"|-?+[1-9][0-9]{0,14}+|0|null|true|false)"
_PLAIN = rb'"([^"\\\x00-\x1f]*+)"'  # no escapes: the bytes sort as the text does
_HASH = rb'"([0-9a-f]{64})"'
_HEAD = rb'^\{"actor":T,"corrects":S,"device":S,"id":T,"occurred_at":T,"payload":(?>'
_TAIL = rb'),"prev":' + _HASH + rb',"reason":S,"recorded_at":P,"seq":([1-9][0-9]*+),"subject":T,"type":P\}\n'
_ODD = bytes([*range(0x0A), *range(0x0B, 0x20), ord("\\")])  # where none of them is, only a quote ends a text
_OF_PEOPLE = (b"person.enrolled", b"person.retired", b"signature.applied")  # what `_People` takes note of
Row = tuple[bytes, bytes, bytes, bytes]  # prev, recorded_at, seq, type


class _Layouts:
    """The layouts of payload met so far, and the expression that recognises an event of any of them."""

    def __init__(self) -> None:
        self.known: list[bytes] = []
        self.line: re.Pattern[bytes] | None = None
        self.plain: re.Pattern[bytes] | None = None  # the same for lines without escapes and control characters

    def rows(self, blob: bytes, bodies: list[bytes]) -> list[Row] | None:
        """What the chain needs of every line; None if one of them is not the canonical bytes of an event.

        - `blob`: the bodies, each with a line break after it. That `prev` is a hash is not looked at.
        """
        try:
            blob.isascii() or blob.decode("utf-8")
        except UnicodeDecodeError:
            return None
        line = self.plain if len(blob.translate(None, _ODD)) == len(blob) else self.line
        found: list[Row] = line.findall(blob) if line else []
        if len(found) == len(bodies):  # each match covers whole lines, so that so many cover one each
            return found
        found = []
        fresh: dict[bytes, None] = {}
        for body in bodies:
            match = self.line.fullmatch(body + b"\n") if self.line else None
            if match:
                found.append((match[1], match[2], match[3], match[4]))
                continue
            event = _parse(body)
            if event is None or len(event["prev"]) != 64 or not event["prev"].isascii():
                return None
            row = (event["prev"], event["recorded_at"], str(event["seq"]), event["type"])
            found.append((row[0].encode(), row[1].encode(), row[2].encode(), row[3].encode()))
            layout = _layout(event["payload"])
            if len(layout) <= LARGEST_LAYOUT_BYTES:
                fresh[layout] = None
        self._learn(list(fresh))
        return found

    def _learn(self, fresh: list[bytes]) -> None:
        known = [*self.known, *(layout for layout in fresh if layout not in self.known)][:MOST_LAYOUTS]
        if known != self.known:
            self.known = known
            line = _scalars(_HEAD) + b"|".join(known) + _scalars(_TAIL)
            self.line = re.compile(line, re.MULTILINE)
            for strict, plain in ((_TEXT, rb'"[^"]*+"'), (_PLAIN, rb'"([^"]*+)"'), (_HASH, rb'"([^"]*+)"')):
                line = line.replace(strict, plain)
            self.plain = re.compile(line, re.MULTILINE)


def _scalars(pattern: bytes) -> bytes:
    return pattern.replace(b":T", b":" + _TEXT).replace(b":S", b":" + _SCALAR).replace(b":P", b":" + _PLAIN)


def _layout(value: Any) -> bytes:
    """The expression of all canonical JSON with the keys and nesting of `value`, whatever its scalars."""
    if isinstance(value, dict):
        parts = (re.escape(canonical(key)) + b":" + _layout(value[key]) for key in sorted(value))
        return rb"\{" + b",".join(parts) + rb"\}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return rb"\[" + b",".join(_layout(item) for item in value) + rb"\]"
    if isinstance(value, list):
        return rb"\[(?:" + _SCALAR + b"(?:," + _SCALAR + rb")*+)?+\]"
    return re.escape(canonical(value)) if isinstance(value, float) else _SCALAR


@dataclass(frozen=True)
class Chunk:
    """`count` events: their bytes, a line each; their stored leaf hashes; the sizes at which roots are wanted."""

    start: int  # seq of the first
    count: int
    blob: bytes
    leaves: bytes
    sizes: list[int]


def examine(chunk: Chunk, layouts: _Layouts) -> dict[str, Any] | None:
    """What must fit the neighbours of a chunk that holds by itself; None for one that does not.

    The Merkle tree is handed on as the peaks within the chunk at each of the sizes asked for, and at the end.
    """
    bodies = chunk.blob.split(b"\n")[:-1]
    rows = layouts.rows(chunk.blob, bodies)
    if rows is None or len(bodies) != chunk.count:
        return None
    sha256 = hashlib.sha256
    digests = b"".join([sha256(body).digest() for body in bodies]).hex().encode("ascii")
    leaves = [sha256(b"\x00" + body).digest() for body in bodies]
    links, times, places, types = (list(column) for column in zip(*rows, strict=True))
    holds = (
        b"".join(links[1:]) == digests[:-64]
        and set(map(len, links)) == {64}
        and places == [b"%d" % seq for seq in range(chunk.start, chunk.start + len(bodies))]
        and times == sorted(times)
        and (not chunk.leaves or chunk.leaves == b"".join(leaves))
    )
    if not holds:
        return None
    levels = [leaves]
    while len(levels[-1]) > 1:
        pairs = iter(levels[-1])
        levels.append([sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)])
    within = [size - chunk.start + 1 for size in chunk.sizes]
    return {
        "prev": links[0].decode("ascii", errors="replace"),
        "head": digests[-64:].decode("ascii"),
        "times": [times[0].decode("utf-8"), times[-1].decode("utf-8")],
        "people": [at for at, word in enumerate(types) if word in _OF_PEOPLE],
        "peaks": [_peaks(levels, size).hex() for size in (*within, len(bodies))],
    }


def _peaks(levels: list[list[bytes]], size: int) -> bytes:
    """The roots of the perfect subtrees of the first `size` leaves, largest first."""
    bits = range(size.bit_length() - 1, -1, -1)
    return b"".join(levels[bit][(size >> bit) - 1] for bit in bits if size >> bit & 1)


def _check_whole(
    events: Events, checkpoints: Notes, anchors: list[str] | None, key: bytes | None, authorities: bytes = b""
) -> Report | None:
    """The report on a ledger in which every event, link, root and signature holds; None if anything does not."""
    report = Report()
    roots = _Roots(report, checkpoints(), anchors, key, authorities)
    whole = _Whole(report, roots)
    with _Examiners() as examiners:
        pending: deque[tuple[Chunk, Future[dict[str, Any] | None]]] = deque()
        for chunk in _chunks(events(), roots):
            if chunk is None or report.counts:
                return None
            pending.append((chunk, examiners.submit(chunk)))
            if len(pending) > 2 * MOST_HELPERS and not whole.take(*pending.popleft()):
                return None
        while pending:
            if not whole.take(*pending.popleft()):
                return None
    if not roots.started:
        return None
    roots.close(report.events)
    holds = all(roots.signed.get(size) == root for size, root in roots.anchored.items())
    return report if holds and not report.counts else None


def _chunks(events: Iterable[tuple[bytes, bytes | None]], roots: _Roots) -> Iterator[Chunk | None]:
    """The events chunk by chunk; None where the stored hashes are not one for each event."""
    stream = iter(events)
    start = 1
    while rows := list(islice(stream, CHUNK)):
        if start == 1:
            roots.start(_parse(rows[0][0]))
        end = start + len(rows) - 1
        sizes = []
        while roots.next is not None and roots.next[0] <= end:
            sizes.append(roots.next[0])
            roots.next = roots.advance(roots.next[0])
        leaves = [leaf for _, leaf in rows if leaf is not None]
        blob = b"\n".join([body for body, _ in rows]) + b"\n"
        odd = len(blob) > LARGEST_CHUNK_BYTES  # a line break within an event makes one line too many
        if odd or (leaves and (len(leaves) != len(rows) or set(map(len, leaves)) != {32})):
            yield None
            return
        yield Chunk(start, len(rows), blob, b"".join(leaves), sizes)
        start = end + 1


class _Whole:
    """Chunks that hold, joined at their seams."""

    def __init__(self, report: Report, roots: _Roots) -> None:
        self.report = report
        self.roots = roots
        self.people = _People(report, roots)
        self.tree = Tree()  # of whole chunks
        self.time = ""

    def take(self, chunk: Chunk, future: Future[dict[str, Any] | None]) -> bool:
        """Join the next chunk; whether everything held so far."""
        part = future.result()
        if part is None or part["prev"] != self.report.head or part["times"][0] < self.time:
            return False
        self.time = part["times"][1]
        for size, text in zip(chunk.sizes, part["peaks"], strict=False):
            raw = bytes.fromhex(text)
            root = _fold([*self.tree.peaks, *(raw[at : at + 32] for at in range(0, len(raw), 32))])
            if root != self.roots.signed[size]:
                return False
            self.roots.root_at[size] = root
        if chunk.count == CHUNK:
            self.tree.add(bytes.fromhex(part["peaks"][-1]))
        if part["people"]:
            bodies = chunk.blob.split(b"\n")
            for at in part["people"]:
                self.people.take(json.loads(bodies[at]))
        self.report.events, self.report.head = chunk.start + chunk.count - 1, part["head"]
        return not self.report.counts


class _Examiners:
    """Whoever examines chunks: this process, and for long ledgers this very file as further processes."""

    def __init__(self) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.most = min(cores, MOST_HELPERS) if cores > 1 and Path(__file__).is_file() else 0
        self.layouts = _Layouts()
        self.taken = 0
        self.pool: ThreadPoolExecutor | None = None
        self.free: queue.SimpleQueue[_Helper] = queue.SimpleQueue()
        self.helpers: list[_Helper] = []

    def __enter__(self) -> _Examiners:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool:
            self.pool.shutdown(cancel_futures=True)
        for helper in self.helpers:
            helper.close()

    def submit(self, chunk: Chunk) -> Future[dict[str, Any] | None]:
        """`examine` of the chunk, now or later."""
        self.taken += 1
        if self.taken > CHUNKS_HERE and self.most and self.pool is None:
            self.helpers = [_Helper() for _ in range(self.most)]
            for helper in self.helpers:
                self.free.put(helper)
            self.pool = ThreadPoolExecutor(self.most)
        if self.pool:
            return self.pool.submit(self._by_helper, chunk)
        done: Future[dict[str, Any] | None] = Future()
        done.set_result(examine(chunk, self.layouts))
        return done

    def _by_helper(self, chunk: Chunk) -> dict[str, Any] | None:
        helper = self.free.get()
        try:
            return helper.examine(chunk)
        except (OSError, ValueError):  # it was killed: its work is done here
            return examine(chunk, _Layouts())
        finally:
            self.free.put(helper)


class _Helper:
    """This file as a process of its own, which is handed chunks and needs nothing else."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", __file__, "--examine"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603

    def examine(self, chunk: Chunk) -> dict[str, Any] | None:
        """`examine` there."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        lengths = [len(chunk.blob), len(chunk.leaves)]
        head = {"start": chunk.start, "count": chunk.count, "sizes": chunk.sizes, "lengths": lengths}
        for part in (json.dumps(head).encode("ascii") + b"\n", chunk.blob, chunk.leaves):
            self.process.stdin.write(part)
        self.process.stdin.flush()
        answer: dict[str, Any] | None = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self.process.wait()


def serve(stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Examine chunks for the process at the other end of the pipes."""
    layouts = _Layouts()
    while line := stdin.readline():
        head = json.loads(line)
        blob, leaves = (stdin.read(length) for length in head["lengths"])
        answer = examine(Chunk(head["start"], head["count"], blob, leaves, head["sizes"]), layouts)
        stdout.write(json.dumps(answer).encode("ascii") + b"\n")
        stdout.flush()
    return 0


def _hex(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (ValueError, TypeError):
        return b""


def anchor_note(line: str) -> str:
    """The signed note in one line of an anchor or checkpoint file; empty where there is none."""
    try:
        data = json.loads(line)
    except ValueError:
        return ""
    return str(data.get("checkpoint", "")) if isinstance(data, dict) else ""


def _token(line: str) -> bytes:
    """The time stamp token in one line of an anchor file; empty where there is none."""
    if '"token"' not in line:
        return b""
    try:
        return base64.b64decode(json.loads(line).get("token", ""), validate=True)
    except (ValueError, AttributeError, TypeError):
        return b""


def read_export(folder: Path, server_key: bytes | None, authorities: bytes | None = None) -> Report:
    """Verify what an export folder holds; what is given by hand overrides `keys.json` and `tsa.pem`."""
    keys = json.loads((folder / "keys.json").read_text("utf-8"))
    anchors = folder / "anchors.jsonl"
    key = server_key or (bytes.fromhex(keys["server_public_key"]) if keys.get("server_public_key") else None)
    report = check(
        lambda: _export_events(folder),
        lambda: (anchor_note(line) for line in _lines(folder / "checkpoints.jsonl")),
        list(_lines(anchors)) if anchors.exists() else None,
        key,
        _authorities(folder) if authorities is None else authorities,
    )
    _find_unlisted(report, folder, EXPORTED)
    return report


def read_folder(folder: Path, server_key: bytes | None, authorities: bytes | None = None) -> Report:
    """Verify what was handed over: the export of a whole ledger, or an extract."""
    read = read_extract if (folder / "extract.txt").exists() else read_export
    return read(folder, server_key, authorities)


EXPORTED = frozenset(
    "events.jsonl leaves.txt checkpoints.jsonl anchors.jsonl keys.json tsa.pem verify.py".split()  # noqa: SIM905
)


def _find_unlisted(report: Report, folder: Path, listed: Iterable[str]) -> None:
    """Name each file in the folder that nobody vouches for: a reader would take it for a part of what was verified."""
    report.counts.setdefault("files", 0)
    known = set(listed)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in known and (path.is_symlink() or not path.is_dir()):
            report.add("files", None, f"{name} is not among the files that were exported: it was put in afterwards")


def _authorities(folder: Path) -> bytes:
    path = folder / "tsa.pem"
    return path.read_bytes() if path.is_file() else b""


def _export_events(folder: Path) -> Iterator[tuple[bytes, bytes | None]]:
    hashes = folder / "leaves.txt"
    leaves = iter(hashes.read_text("ascii", errors="replace").split()) if hashes.exists() else iter(())
    with (folder / "events.jsonl").open("rb") as stream:
        for line in stream:
            leaf = next(leaves, None)
            yield line.removesuffix(b"\n"), _hex(leaf) if leaf is not None else None


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        yield from stream


# Time stamps by RFC 3161: an authority's signed word that a checkpoint existed at a moment.

_DIGESTS = {
    bytes.fromhex("2b0e03021a"): "sha1",  # in an ESSCertID alone
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_SIGNING_CERTIFICATE = bytes.fromhex("2a864886f70d010910020c")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("2a864886f70d010910022f")
_PKCS1 = tuple(bytes.fromhex(f"2a864886f70d0101{at:02x}") for at in (1, 11, 12, 13))
LONGEST_CHAIN = 5


class StampError(ValueError):
    """A time stamp token that does not hold, in words."""


def take_stamp(report: Report, size: int, note: str, token: bytes, authorities: bytes) -> None:
    """Note what a time stamp of the checkpoint of `size` events says, or why it says nothing."""
    try:
        time, name, trusted = read_stamp(token, note.encode("utf-8"), authorities)
    except StampError as error:
        report.add("stamps", None, f"the time stamp of the checkpoint of {size} events fails: {error}")
        return
    report.stamps.append(f"{size} events existed at {time}, says {name}")
    if not trusted:
        report.unknown["stamps"] = f"no certificate is given by which {name} could be trusted"


def read_stamp(token: bytes, message: bytes, authorities: bytes) -> tuple[str, str, bool]:
    """Time (ISO 8601), name of the authority, and whether `authorities` (PEM) vouch for it; `StampError` if not whole.

    Checked: the message's digest, the signature over the signed attributes, the digest of the content in them, that the
    certificate is the one they name, is for time stamping (RFC 3161, section 2.3) and was valid then.
    """
    try:
        return _read_stamp(token, message, authorities)
    except StampError:
        raise
    except Exception as error:  # whatever cryptography makes of forged bytes, it is no token
        raise StampError(f"this is not a time stamp token as RFC 3161 has it ({error})") from error


def _read_stamp(token: bytes, message: bytes, authorities: bytes) -> tuple[str, str, bool]:
    from cryptography import x509

    kind, signed = elements(elements(token)[0][1])
    parts = elements(elements(signed[1])[0][1])
    content_kind, content = elements(parts[2][1])
    if (kind[1], content_kind[1]) != (_SIGNED_DATA, _TST_INFO):
        raise StampError("it is something else than a time stamp")
    info = elements(content[1])[0][1]
    fields = elements(elements(info)[0][1])
    algorithm, imprint = elements(fields[2][1])
    if hashlib.new(_DIGESTS[elements(algorithm[1])[0][1]], message).digest() != imprint[1]:
        raise StampError("it was given for something else")
    carried = [item[2] for part in parts[3:] if part[0] == 0xA0 for item in elements(part[1])]
    inside = [x509.load_der_x509_certificate(item) for item in carried]
    trusted = x509.load_pem_x509_certificates(authorities) if authorities else []
    signers = elements(next(part[1] for part in reversed(parts) if part[0] == 0x31))
    if len(signers) != 1:
        raise StampError(f"{len(signers)} have signed it, where one must")
    signer = elements(signers[0][1])
    certificate = _signer([*inside, *trusted], signer[1])
    _check_signature(certificate, signer, info)
    time = _stamp_time(fields[4][1].decode("ascii"))
    if not certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc:
        raise StampError(f"the authority's certificate was not valid at {time.isoformat()}")
    name = certificate.subject.rfc4514_string()
    return time.isoformat().replace("+00:00", "Z"), name, _vouched(certificate, inside, trusted, time)


def elements(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """The elements that stand in `data`, one after the other: tag, content, and all of the element's bytes."""
    found, at = [], 0
    while at < len(data):
        start, tag, length, at = at, data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise StampError("its encoding is not DER")
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
        if tag & 0x1F == 0x1F or at + length > len(data):
            raise StampError("its encoding is not DER")
        found.append((tag, data[at : at + length], data[start : at + length]))
        at += length
    return found


def _stamp_time(text: str) -> datetime:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    time = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return time.replace(microsecond=int((fraction + "000000")[:6])) if fraction else time


def _signer(certificates: list[Any], named: tuple[int, bytes, bytes]) -> Any:
    """The certificate that a SignerInfo names, by issuer and number or by the identifier of its key."""
    from cryptography import x509

    for certificate in certificates:
        if named[0] == 0x30:
            issuer, number = elements(named[1])
            stated = (issuer[2], int.from_bytes(number[1], "big", signed=True))
            same = (certificate.issuer.public_bytes(), certificate.serial_number) == stated
        else:
            try:
                extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
            except x509.ExtensionNotFound:
                continue
            same = extension.value.digest == named[1]
        if same:
            return certificate
    raise StampError("the certificate of who signed it is neither in it nor given")


def _check_signature(certificate: Any, signer: list[tuple[int, bytes, bytes]], content: bytes) -> None:
    """That the certificate's key signed the attributes, and the attributes name the content and the certificate."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    if signer[3][0] != 0xA0:
        raise StampError("it has no signed attributes")
    name = _DIGESTS[elements(signer[2][1])[0][1]]
    attributes = {}
    for item in elements(signer[3][1]):
        kind, values = elements(item[1])
        attributes[kind[1]] = elements(values[1])[0]
    if attributes[_CONTENT_TYPE][1] != _TST_INFO:
        raise StampError("what is signed is something else than a time stamp")
    if attributes[_MESSAGE_DIGEST][1] != hashlib.new(name, content).digest():
        raise StampError("what is signed has another content")
    if not _names(attributes, certificate):
        raise StampError("what is signed names another certificate")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise StampError("the certificate is not one for time stamping alone")
    # A set is signed under its own tag, not under the one that it has inside the SignerInfo (RFC 5652, section 5.4).
    signed = b"\x31" + signer[3][2][1:]
    if not _key_signed(certificate.public_key(), elements(signer[4][1])[0][1], name, signer[5][1], signed):
        raise StampError("the authority's signature fails")


def _names(attributes: dict[bytes, tuple[int, bytes, bytes]], certificate: Any) -> bool:
    """Whether the signed attributes name this certificate by its digest (RFC 5035)."""
    from cryptography.hazmat.primitives.serialization import Encoding

    raw = certificate.public_bytes(Encoding.DER)
    for kind, usual in ((_SIGNING_CERTIFICATE_V2, "sha256"), (_SIGNING_CERTIFICATE, "sha1")):
        if kind in attributes:
            first = elements(elements(elements(attributes[kind][1])[0][1])[0][1])  # the first ESSCertID is the signer's
            name = _DIGESTS[elements(first[0][1])[0][1]] if first[0][0] == 0x30 else usual
            stated = next(part[1] for part in first if part[0] == 0x04)
            return bool(stated == hashlib.new(name, raw).digest())
    return False


def _key_signed(key: Any, algorithm: bytes, digest: str, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    by = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}.get(digest)
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif isinstance(key, rsa.RSAPublicKey) and by and algorithm in _PKCS1:
            key.verify(signature, message, padding.PKCS1v15(), by)
        elif isinstance(key, ec.EllipticCurvePublicKey) and by:
            key.verify(signature, message, ec.ECDSA(by))
        else:
            raise StampError("it is signed by an algorithm that is not known here")
    except InvalidSignature:
        return False
    return True


def _vouched(certificate: Any, inside: list[Any], trusted: list[Any], time: datetime, depth: int = 0) -> bool:
    """Whether a chain of certificates, each valid then, leads to one of the trusted."""
    from cryptography import x509

    if certificate in trusted:
        return True
    for issuer in [*trusted, *inside]:
        try:
            authority = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
            certificate.verify_directly_issued_by(issuer)
        except Exception:  # noqa: BLE001, S112  # of whatever kind: this one did not issue it
            continue
        valid = issuer.not_valid_before_utc <= time <= issuer.not_valid_after_utc
        if authority and valid and depth < LONGEST_CHAIN and _vouched(issuer, inside, trusted, time, depth + 1):
            return True
    return False


# An extract: some events of a ledger, each with the proof that it stands in the tree of a signed checkpoint. That none
# of one subject's events is left out is the server's signed word, in `extract.txt`.

EXTRACT = "seedtrain-extract/1"


def inclusion_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root of a tree of `size` leaves in which `leaf` stands at `index`; None if the path cannot be one's."""
    if not 0 <= index < size:
        return None
    at, last, root = index, size - 1, leaf  # RFC 9162, section 2.1.3.2
    for node in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = _node(node, root)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            root = _node(root, node)
        at, last = at >> 1, last >> 1
    return root if last == 0 else None


def consistent(size: int, root: bytes, later: int, later_root: bytes, proof: list[bytes]) -> bool:
    """Whether the tree of `later` leaves begins with that of `size` leaves (RFC 9162, section 2.1.4.2)."""
    if size == later:
        return root == later_root and not proof
    if not 0 < size < later or not proof:
        return False
    nodes = [root, *proof] if size & (size - 1) == 0 else proof
    at, last = size - 1, later - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    one = two = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            one, two = _node(node, one), _node(node, two)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            two = _node(two, node)
        at, last = at >> 1, last >> 1
    return last == 0 and one == root and two == later_root


class _Proven:
    """The one checkpoint of an extract, and the earlier roots that lie within it."""

    def __init__(self, report: Report, folder: Path, server_key: bytes | None, authorities: bytes) -> None:
        self.report = report
        self.authorities = authorities
        self.root_at: dict[int, bytes] = {}
        self.size, self.root = 0, b""
        self.key = server_key or b""
        keys = json.loads((folder / "keys.json").read_text("utf-8"))
        report.origin = str(keys.get("ledger", ""))
        if server_key is None:
            self.key = _hex(keys.get("server_public_key"))
        note = (folder / "checkpoint.txt").read_text("utf-8")
        text = open_note(note, report.origin, self.key)
        parsed = parse_checkpoint(text) if text else None
        if parsed is None or parsed[0] != report.origin:
            report.add("signatures", None, "the server's signature of the checkpoint fails")
            return
        self.size, self.root = parsed[1:]
        self.root_at[self.size] = self.root
        report.checkpoints = 1
        for line in _lines(folder / "sizes.jsonl"):
            self._earlier(json.loads(line))
        self._anchor(folder / "anchors.jsonl")

    def _earlier(self, given: dict[str, Any]) -> None:
        size, root = int(given["size"]), _hex(given["root"])
        if consistent(size, root, self.size, self.root, [_hex(item) for item in given["proof"]]):
            self.root_at[size] = root
        else:
            self.report.add("roots", size, f"the root of size {size} is not that of the events before the checkpoint")

    def _anchor(self, path: Path) -> None:
        found = [parse_checkpoint(anchor_note(line).partition("\n\n")[0] + "\n") for line in _lines(path)]
        same = [item for item in found if item and item[:2] == (self.report.origin, self.size)]
        self.report.anchors = len(same)
        if any(item[2] != self.root for item in same):
            self.report.add("anchors", self.size, "the anchored root is not that of the checkpoint")
        elif not same:
            self.report.unknown["anchors"] = "the checkpoint is not among the anchors"
        for line in _lines(path):
            if token := _token(line):
                take_stamp(self.report, self.size, anchor_note(line), token, self.authorities)


def read_extract(folder: Path, server_key: bytes | None, authorities: bytes | None = None) -> Report:
    """Verify an extract: every event, proof, signature and file in it, and that it has all of its subject."""
    report = Report()
    proven = _Proven(report, folder, server_key, _authorities(folder) if authorities is None else authorities)
    people = _People(report, proven)
    paths = [json.loads(line) for line in _lines(folder / "proofs.jsonl")]
    bodies = (folder / "events.jsonl").read_bytes().split(b"\n")[:-1]
    if len(paths) != len(bodies):
        report.add("roots", None, f"there are {len(bodies)} events and {len(paths)} proofs")
    before: tuple[int, str, str] = (0, NO_EVENT, "")
    subjects: dict[str, list[str]] = {}
    for body, path in zip(bodies, paths, strict=False):
        event = _parse(body)
        if event is None:
            report.add("chain", before[0] + 1, "these are not the canonical bytes of an event")
            continue
        seq, digest = event["seq"], hashlib.sha256(body).hexdigest()
        if inclusion_root(leaf_hash(body), seq - 1, proven.size, [_hex(item) for item in path]) != proven.root:
            report.add("roots", seq, f"seq {seq} is not in the tree that was signed")
        if seq <= before[0] or event["recorded_at"] < before[2]:
            report.add("chain", seq, f"seq {seq} stands after seq {before[0]}, or is recorded before it")
        elif seq == before[0] + 1 and event["prev"] != before[1]:
            report.add("chain", seq, f"seq {seq} does not link to seq {seq - 1}")
        if event["type"] == "ledger.created" and event["payload"].get("public_key") != proven.key.hex():
            report.add("key", seq, "the ledger names another server key than the one given")
        before = (seq, digest, event["recorded_at"])
        subjects.setdefault(event["subject"], []).append(digest)
        people.take(event)
        report.events, report.head = report.events + 1, digest
    _check_extract(report, proven, folder, subjects)
    return report


def _check_extract(report: Report, proven: _Proven, folder: Path, subjects: dict[str, list[str]]) -> None:
    """What the server signed of the extract as a whole: the files in it, and all events of its subject."""
    for name in ("complete", "files"):
        report.counts.setdefault(name, 0)
    text = open_note((folder / "extract.txt").read_text("utf-8"), report.origin, proven.key)
    lines = (text or "").splitlines()
    if lines[:3] != [EXTRACT, report.origin, f"size {proven.size}"]:
        report.add("complete", None, "the server's signature of extract.txt fails, or it is of another checkpoint")
        return
    listed = ["extract.txt"]
    for line in lines[3:]:
        kind, value, name = line.split(" ", 2)
        if kind == "subject":
            found = subjects.get(name, [])
            if value != f"{len(found)}:{hashlib.sha256(''.join(found).encode('ascii')).hexdigest()}":
                report.add("complete", None, f"these are not the {value.split(':')[0]} events of {name} that there are")
            else:
                report.complete.append(name)
        else:
            path = folder / name
            listed.append(name)
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != value:
                report.add("files", None, f"{name} is not the file that was exported")
    _find_unlisted(report, folder, listed)


def main(arguments: list[str]) -> int:
    """The command line of the standalone file."""
    if arguments == ["--examine"]:
        return serve(sys.stdin.buffer, sys.stdout.buffer)
    arguments, key = _option(arguments, "--key")
    arguments, authorities = _option(arguments, "--ca")
    if len(arguments) != 1 or (key is not None and not _hex(key)):
        print(__doc__)
        return 2
    try:
        folder = Path(arguments[0])
        trusted = Path(authorities).read_bytes() if authorities is not None else None
        report = read_folder(folder, _hex(key) if key else None, trusted)
    except (OSError, ValueError, KeyError) as error:
        print(f"this is not an export that can be read: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.to_data(), indent=2, ensure_ascii=False))
    return {"pass": 0, "fail": 1, "inconclusive": 3}[report.verdict]


def _option(arguments: list[str], name: str) -> tuple[list[str], str | None]:
    if name not in arguments:
        return arguments, None
    at = arguments.index(name)
    return arguments[:at] + arguments[at + 2 :], "".join(arguments[at + 1 : at + 2])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
