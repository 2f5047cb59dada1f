"""Check a Seedtrain ledger without Seedtrain: this one file needs Python 3.11 and the package `cryptography`.

    python verify.py FOLDER [--key HEX]      exit code 0: pass, 1: fail, 3: inconclusive, 2: cannot be read

FOLDER is what `seedtrain record export` wrote. What each check means stands in `docs/reference/record.md`. Seedtrain
itself verifies with this same file, so that there is one meaning of "verified".

**Sources** RFC 6962 section 2.1 (Merkle tree), C2SP tlog-checkpoint and signed-note (checkpoints), RFC 8032 (Ed25519),
RFC 8785 (canonical JSON; the subset without floats).
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

    def root(self) -> bytes:
        """The Merkle tree hash of the entries so far."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
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
    def verdict(self) -> str:
        """The worst of the criteria."""
        found = {self.verdict_of(criterion) for criterion in (*CRITERIA, *self.counts)}
        return next(word for word in ("fail", "inconclusive", "pass") if word in found)

    def to_data(self) -> dict[str, Any]:
        """Plain data for `--json` and for people."""
        criteria = [
            {"name": name, "verdict": self.verdict_of(name), "faults": self.counts.get(name, 0)}
            for name in dict.fromkeys((*CRITERIA, *self.counts))
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
            "origin": self.origin,
            "head": self.head,
        }


def check(
    events: Iterable[tuple[bytes, bytes | None]],
    checkpoints: Iterable[str],
    anchors: Iterable[str] | None,
    server_key: bytes | None,
) -> Report:
    """Verify one ledger in one pass.

    - `events`: exact bytes and the stored leaf hash (None where there is none), in order.
    - `checkpoints`: signed notes in order of size, one per commit.
    - `anchors`: the lines of the anchor file that is kept outside the database; None: there is no such file.
    - `server_key`: the server's public key from outside the ledger; None: only the ledger's own word is there.
    """
    report = Report()
    chain = _Chain(report)
    roots = _Roots(report, checkpoints, anchors, server_key)
    people = _People(report, roots)
    for body, leaf in events:
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
        self._fault(blamed, f"seq {self.broken_link} does not link to seq {self.broken_link - 1}")

    def _fault(self, seq: int, words: str) -> None:
        self.report.add("chain", seq, words)


class _Roots:
    """Checkpoints of the ledger and of its anchors against the Merkle tree of the events."""

    def __init__(
        self, report: Report, checkpoints: Iterable[str], anchors: Iterable[str] | None, key: bytes | None
    ) -> None:
        self.report = report
        self.notes = iter(checkpoints)
        self.given_key = key
        self.key = key or b""
        self.tree = Tree()
        self.last_good = 0
        self.first_fault = 0  # the place of the first event of which the tree cannot be the written one
        self.root_at: dict[int, bytes] = {}
        self.signed: dict[int, bytes] = {}
        self.anchored: dict[int, bytes] = {}
        self.anchor_lines = None if anchors is None else list(anchors)
        self.next: tuple[int, bytes] | None = None
        self.started = False

    def take(self, body: bytes, event: dict[str, Any] | None, seq: int) -> None:
        if not self.started:
            self._start(event)
        self.tree.add(leaf_hash(body))
        if not self.first_fault and (event is None or event["seq"] != seq):
            self.first_fault = seq
        if seq in self.anchored:
            self._compare_anchor(seq)
        while self.next is not None and self.next[0] <= seq:
            size, root = self.next
            self._compare(size, root, seq)
            self.next = self._advance(size)

    def _start(self, event: dict[str, Any] | None) -> None:
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
        self.next = self._advance(0)

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
            parsed = self._open(anchor_note(line))
            if parsed is None:
                self.report.add("anchors", None, f"line {number} of the anchors is not a checkpoint of this ledger")
                continue
            self.report.anchors += 1
            size, root = parsed
            if self.anchored.setdefault(size, root) != root:
                self.report.add("anchors", None, f"the anchors hold two roots for size {size}")
        if not self.report.anchors and "anchors" not in self.report.counts:
            self.report.unknown["anchors"] = "the anchor file is empty: a cut tail would not be seen"

    def _open(self, note: str) -> tuple[int, bytes] | None:
        text = open_note(note, self.report.origin, self.key)
        parsed = parse_checkpoint(text) if text else None
        return (parsed[1], parsed[2]) if parsed and parsed[0] == self.report.origin else None

    def _advance(self, after: int) -> tuple[int, bytes] | None:
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
            self._start(None)
        while self.next is not None:
            size = self.next[0]
            self.report.add("roots", seq + 1, f"a checkpoint stands for {size} events and there are {seq}")
            self.next = self._advance(size)
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

    def __init__(self, report: Report, roots: _Roots) -> None:
        self.report = report
        self.roots = roots
        self.keys: dict[str, str] = {}
        self.nonces: set[str] = set()

    def take(self, event: dict[str, Any]) -> None:
        if event["type"] == "person.enrolled":
            if event["subject"] in self.keys:
                self.report.add("signatures", event["seq"], f"{event['subject']} is enrolled twice")
            self.keys.setdefault(event["subject"], str(event["payload"].get("public_key", "")))
        elif event["type"] == "signature.applied":
            self.report.signatures += 1
            words = signature_fault(event["id"], event["actor"], event["payload"], self.keys.get(event["actor"]))
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


def read_export(folder: Path, server_key: bytes | None) -> Report:
    """Verify what an export folder holds; `server_key` given by hand overrides the one in `keys.json`."""
    keys = json.loads((folder / "keys.json").read_text("utf-8"))
    anchors = folder / "anchors.jsonl"
    key = server_key or (bytes.fromhex(keys["server_public_key"]) if keys.get("server_public_key") else None)
    return check(
        _export_events(folder),
        (anchor_note(line) for line in _lines(folder / "checkpoints.jsonl")),
        list(_lines(anchors)) if anchors.exists() else None,
        key,
    )


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


def main(arguments: list[str]) -> int:
    """The command line of the standalone file."""
    key = None
    if "--key" in arguments:
        at = arguments.index("--key")
        key = _hex("".join(arguments[at + 1 : at + 2]))
        arguments = arguments[:at] + arguments[at + 2 :]
    if len(arguments) != 1 or key == b"":
        print(__doc__)
        return 2
    try:
        report = read_export(Path(arguments[0]), key)
    except (OSError, ValueError, KeyError) as error:
        print(f"this is not an export that can be read: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.to_data(), indent=2, ensure_ascii=False))
    return {"pass": 0, "fail": 1, "inconclusive": 3}[report.verdict]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
