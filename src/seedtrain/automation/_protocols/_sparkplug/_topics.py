"""The topics of Sparkplug B: `spBv1.0/GROUP/KIND/EDGE[/DEVICE]` and `spBv1.0/STATE/HOST` (specification, chapter 4)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from seedtrain.automation._protocols._times import milliseconds
from seedtrain.base import InputError

NAMESPACE: Final = "spBv1.0"
NODE_KINDS: Final = ("NBIRTH", "NDEATH", "NDATA", "NCMD")
DEVICE_KINDS: Final = ("DBIRTH", "DDEATH", "DDATA", "DCMD")
BD_SEQ: Final = "bdSeq"
REBIRTH: Final = "Node Control/Rebirth"
_FORBIDDEN: Final = frozenset("+#/")


@dataclass(frozen=True)
class Message:
    """What is published: QoS 0 and not retained unless said."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True)
class Topic:
    """A topic in its parts; `device` is empty for a message of the edge node itself."""

    group: str
    kind: str
    edge: str
    device: str = ""

    def __str__(self) -> str:
        return "/".join([NAMESPACE, self.group, self.kind, self.edge, *([self.device] if self.device else [])])


def parse_topic(text: str) -> Topic | None:
    """The parts of a topic, or None for one that is no message of an edge node or a device."""
    parts = text.split("/")
    if parts[0] != NAMESPACE or len(parts) not in (4, 5):
        return None
    kinds = NODE_KINDS if len(parts) == 4 else DEVICE_KINDS
    return Topic(*parts[1:]) if parts[2] in kinds and all(parts) else None


def check_id(text: str, what: str) -> str:
    """An id that a topic can carry; raises `InputError` for another."""
    if not text or _FORBIDDEN.intersection(text) or not text.isprintable():
        raise InputError(f"{text!r} is no {what} of Sparkplug", remedy="Use no '+', '#' or '/', and at least a letter.")
    return text


def state_topic(host: str) -> str:
    """Where a host application says whether it is there."""
    return f"{NAMESPACE}/STATE/{check_id(host, 'host id')}"


def state_message(host: str, when: datetime, *, online: bool) -> Message:
    """The birth (`online`) or death certificate of a host application; both of one session carry the same time."""
    payload = json.dumps({"online": online, "timestamp": milliseconds(when)}, separators=(",", ":"))
    return Message(state_topic(host), payload.encode(), qos=1, retain=True)


def read_state(payload: bytes) -> tuple[bool, int] | None:
    """Whether a host application is online and since when (ms), or None for what is no such certificate."""
    try:
        found = json.loads(payload)
        online, since = found["online"], found["timestamp"]
    except (ValueError, TypeError, KeyError):
        return None
    return (online, since) if isinstance(online, bool) and isinstance(since, int) else None
