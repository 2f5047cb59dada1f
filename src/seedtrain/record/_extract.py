"""Some events of a ledger for a stranger, each with its proof (RFC 6962), and nothing of the others but hashes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, UnavailableError, digest_bytes, digest_file
from seedtrain.record._event import Event
from seedtrain.record._ledger import Ledger
from seedtrain.record._stores import anchor_path
from seedtrain.record._verifier import EXTRACT, anchor_note, key_id, leaf_hash, parse_checkpoint
from seedtrain.record._verify import anchor_lines

_HASH: Final = 32


@dataclass(frozen=True)
class Extract:
    """Chosen events and what proves them; `files` are the names and contents of an extract's own files.

    - `size`: of the ledger at the checkpoint that everything is proven against. `root`: its Merkle root.
    """

    ledger: str
    server_key: str
    size: int
    root: str
    events: tuple[Event, ...]
    files: Mapping[str, bytes]


class ProofTree:
    """The whole RFC 6962 tree of a list of leaf hashes; every node is at hand."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        level = b"".join(leaves)
        self.size = len(level) // _HASH
        self._levels = [level]
        while len(level) > _HASH:
            pairs = range(0, len(level) - _HASH, 2 * _HASH)
            level = b"".join(hashlib.sha256(b"\x01" + level[at : at + 2 * _HASH]).digest() for at in pairs)
            self._levels.append(level)

    def root(self, low: int = 0, high: int | None = None) -> bytes:
        """The hash of the leaves `low` to `high`, as they stand in the tree."""
        high = self.size if high is None else high
        count = high - low
        if count & (count - 1) == 0 and low % count == 0:
            level, at = self._levels[count.bit_length() - 1], low // count * _HASH
            return level[at : at + _HASH]
        middle = low + _half(count)
        return hashlib.sha256(b"\x01" + self.root(low, middle) + self.root(middle, high)).digest()

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of the leaf at `index` (RFC 6962, section 2.1.1), from the leaf up."""
        low, high, path = 0, self.size, []
        while high - low > 1:
            middle = low + _half(high - low)
            if index < middle:
                path.append(self.root(middle, high))
                high = middle
            else:
                path.append(self.root(low, middle))
                low = middle
        return path[::-1]

    def consistency(self, size: int) -> list[bytes]:
        """The proof that the first `size` leaves are the tree of that time (RFC 6962, section 2.1.2)."""
        low, high, path, whole = 0, self.size, [], True
        while size - low != high - low:
            middle = low + _half(high - low)
            if size <= middle:
                path.append(self.root(middle, high))
                high = middle
            else:
                path.append(self.root(low, middle))
                low, whole = middle, False
        if not whole:
            path.append(self.root(low, high))
        return path[::-1]


def _half(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def extract(ledger: Ledger, chosen: Callable[[Event], bool]) -> Extract:
    """The events that `chosen` accepts, the people who signed among them, and their proofs against the last checkpoint.

    Always in it: the ledger's first event and, of everybody who acted in a chosen event, enrolment, training and
    retirement. Raises `InputError` where nothing is chosen.
    """
    note = ledger.note
    parsed = parse_checkpoint(note.partition("\n\n")[0] + "\n")
    assert parsed is not None
    size = parsed[1]
    leaves, wanted, people = [], [], []
    for event in ledger.events():
        if event.seq > size:
            break
        leaves.append(leaf_hash(event.body))
        if event.seq == 1 or chosen(event):
            wanted.append(event)
        elif event.type in _OF_PEOPLE:
            people.append(event)
    if len(wanted) < 2:
        raise InputError("nothing of this is in the ledger", remedy="Check the name.")
    actors = {event.actor for event in wanted}
    wanted += [event for event in people if event.subject in actors]
    wanted.sort(key=lambda event: event.seq)
    tree = ProofTree(leaves)
    if tree.root() != parsed[2]:
        raise UnavailableError("the ledger grew or is damaged", remedy="Run: seedtrain record verify.")
    server = ledger.keys.server_public
    assert server is not None
    return Extract(ledger.id, server.hex(), size, parsed[2].hex(), tuple(wanted), _files(ledger, note, tree, wanted))


_OF_PEOPLE: Final = ("person.enrolled", "person.trained", "person.retired")


def _files(ledger: Ledger, note: str, tree: ProofTree, events: list[Event]) -> dict[str, bytes]:
    named = {str(event.payload["checkpoint"]) for event in events if event.type == "signature.applied"}
    sizes = sorted((int(text.partition(":")[0]), text.partition(":")[2]) for text in named)
    earlier = [
        {"size": size, "root": root, "proof": [item.hex() for item in tree.consistency(size)]} for size, root in sizes
    ]
    lines = anchor_lines(anchor_path(ledger.path)) or []
    server = ledger.keys.server_public
    assert server is not None
    keys = {
        "ledger": ledger.id,
        "server_public_key": server.hex(),
        "note_verifier_key": f"{ledger.id}+{key_id(ledger.id, server).hex()}+"
        + base64.b64encode(b"\x01" + server).decode("ascii"),
        "people": {e.subject: str(e.payload["public_key"]) for e in events if e.type == "person.enrolled"},
    }
    trusted = {"tsa.pem": ledger.keys.authorities} if ledger.keys.authorities else {}
    return trusted | {
        "events.jsonl": b"".join(event.body + b"\n" for event in events),
        "proofs.jsonl": _json_lines([item.hex() for item in tree.inclusion(event.seq - 1)] for event in events),
        "sizes.jsonl": _json_lines(earlier),
        "checkpoint.txt": note.encode("utf-8"),
        "anchors.jsonl": "".join(f"{line}\n" for line in lines if anchor_note(line) == note).encode("utf-8"),
        "keys.json": json.dumps(keys, indent=2).encode("ascii") + b"\n",
        "verify.py": resources.files("seedtrain.record").joinpath("_verifier.py").read_bytes(),
    }


def sealed_extract(
    ledger: Ledger, found: Extract, subject: str, files: Mapping[str, bytes], beside: Path | None = None
) -> bytes:
    """`extract.txt`: the server's signed word on which files there are and that no event of `subject` is left out.

    - `files`: contents by name, relative to the folder. `beside`: the folder, where more files stand in it already.

    Raises `InputError` for a name that a stranger could not read back.
    """
    chain = "".join(event.digest for event in found.events if event.subject == subject)
    count = len(chain) // 64
    lines = [EXTRACT, found.ledger, f"size {found.size}"]
    lines.append(f"subject {count}:{hashlib.sha256(chain.encode('ascii')).hexdigest()} {subject}")
    digests = {name: digest_bytes(content) for name, content in files.items()}
    if beside is not None:
        found_there = (path for path in beside.rglob("*") if path.is_file())
        digests |= {path.relative_to(beside).as_posix(): digest_file(path) for path in found_there}
    for name, value in sorted(digests.items()):
        if not name.isprintable() or name.startswith("/") or ".." in Path(name).parts:
            raise InputError(f"{name!r} is no name of a file in an export", remedy="Rename the file.")
        lines.append(f"file {value} {name}")
    text = "".join(f"{line}\n" for line in lines)
    key = ledger.keys.server(create=False)
    raw = key_id(ledger.id, key.public) + key.sign(text.encode("utf-8"))
    return f"{text}\n\u2014 {ledger.id} {base64.b64encode(raw).decode('ascii')}\n".encode()


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a folder that is not there yet."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _json_lines(rows: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(row, separators=(",", ":")).encode("ascii") + b"\n" for row in rows)
