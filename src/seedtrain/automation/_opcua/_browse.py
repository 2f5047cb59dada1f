"""What a server offers: everything below its Objects, and which of it is of the types of LADS."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from seedtrain.automation._lads import LADS_SPACE, LADS_TYPES, unit_text
from seedtrain.automation._opcua._session import Session
from seedtrain.base import Progress, UnavailableError, silent

DEEPEST: Final = 12
MOST_NODES: Final = 20_000
OBJECTS: Final = "i=85"
_GROUP: Final = "nsu=http://opcfoundation.org/UA/DI/;i=1005"
"""FunctionalGroupType of OPC 10000-100."""


@dataclass
class Offered:
    """One node of the server with what hangs below it; `value` and `unit` where it is a variable.

    - `type`: the node id of its type. `lads`: the type of LADS that this is or is derived from, by its name.
    """

    name: str
    node: str
    kind: str
    children: dict[str, Offered] = field(default_factory=dict)
    value: Any = None
    unit: str = ""
    writable: bool = False
    type: str = ""
    lads: str = ""

    def find(self, *path: str) -> Offered | None:
        """What hangs below it at a path of browse names."""
        here: Offered | None = self
        for name in path:
            here = here.children.get(name) if here is not None else None
        return here

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Offered]]:
        """It and everything below, with the depth of each."""
        yield depth, self
        for child in self.children.values():
            yield from child.walk(depth + 1)


def browse(session: Session, *, limit: float = math.inf, progress: Progress = silent) -> Offered:
    """Everything below the server's Objects, but the server's own diagnostics.

    - `limit`: s that it may take. Raises `UnavailableError` beyond that, and where nobody answers.
    """
    began = time.monotonic()
    root = Offered("Objects", OBJECTS, "Object")
    seen = {OBJECTS}
    level, depth = [root], 0
    variables: list[Offered] = []
    while level and depth < DEEPEST and len(seen) < MOST_NODES:
        following: list[Offered] = []
        level.sort(key=lambda item: item.type == _GROUP)  # a group only points at what others hold
        for parent, below in zip(level, session.children([item.node for item in level]), strict=True):
            for name, item in below.items():
                if item.node in seen or (parent is root and item.node.startswith("i=")):
                    continue
                seen.add(item.node)
                child = Offered(name, item.node, item.kind, type=item.type)
                parent.children[name] = child
                if item.kind == "Variable":
                    variables.append(child)
                if item.kind in ("Object", "Variable"):
                    following.append(child)
        level, depth = following, depth + 1
        progress(depth / DEEPEST, f"{session.url}: {len(seen)}")
        if time.monotonic() - began > limit:
            raise UnavailableError(
                f"{session.url} was not browsed within {limit:g} s: {len(seen)} nodes by then",
                remedy="Give a longer --limit.",
            )
    _fill(session, variables)
    _recognise(session, root)
    return root


def _recognise(session: Session, root: Offered) -> None:
    """Name the LADS type of every object, climbing from the server's own types, which may be derived from those."""
    known = {f"nsu={LADS_SPACE};i={number}": name for name, number in LADS_TYPES.items()}
    objects = [item for _, item in root.walk() if item.kind == "Object" and item.type]
    standing = {item.type: item.type for item in objects if not item.type.startswith("i=")}
    while left := [own for own, here in standing.items() if here and here not in known]:
        standing |= dict(zip(left, session.above([standing[own] for own in left]), strict=True))
    for item in objects:
        item.lads = known.get(standing.get(item.type, ""), "")


def _fill(session: Session, variables: list[Offered]) -> None:
    """Value, unit and access of every variable, in two requests."""
    nodes = [item.node for item in variables]
    values = session.read(nodes)
    access = session.read(nodes, "UserAccessLevel")
    for item, value, level in zip(variables, values, access, strict=True):
        item.value = _plain(value.value) if value is not None else None
        item.writable = bool(level is not None and int(level.value or 0) & 2)
    for item in variables:
        engineering = item.find("EngineeringUnits")
        item.unit = (unit_text(engineering.value) if engineering is not None else None) or ""


def _plain(value: object) -> object:
    """Localised texts as their words, in lists too."""
    return [_plain(each) for each in value] if isinstance(value, list) else getattr(value, "Text", value)
