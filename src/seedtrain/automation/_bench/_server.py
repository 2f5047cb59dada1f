"""A server under load, in a process of its own: tags that count the seconds, or tanks that are integrated.

Run as `python -m seedtrain.automation._bench._server counters TAGS SECONDS` or `tanks COUNT SECONDS`; it prints its
URL, begins when a line comes on its input, and at the end prints what it did as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import Server, ua

SPACE: Final = "urn:seedtrain:bench"
PARTS: Final = 10  # of a second, in each of which a part of the tags is scanned
TAGS_OF_A_TANK: Final = 20
Values = Callable[[int], list[float]]


async def _serve(names: list[str], seconds: int, values: Values) -> None:
    """Write `values(second)` to every node once a second."""
    logging.getLogger("asyncua").setLevel(logging.ERROR)  # it serves this machine alone, and says so at length
    server = Server()
    await server.init()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(SPACE)
    folder = await server.nodes.objects.add_object(ua.NodeId("load", index), ua.QualifiedName("load", index))
    nodes = [
        (await folder.add_variable(ua.NodeId(name, index), ua.QualifiedName(name, index), -1.0)).nodeid
        for name in names
    ]
    async with server:
        print(f"opc.tcp://127.0.0.1:{port}/", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        began, cpu, late = time.perf_counter(), time.process_time(), 0.0
        for second in range(seconds):
            given = values(second)
            for part in range(PARTS):
                wanted = began + 1.0 + second + part / PARTS
                await asyncio.sleep(max(wanted - time.perf_counter(), 0.0))
                late = max(late, time.perf_counter() - wanted)
                for node, value in zip(nodes[part::PARTS], given[part::PARTS], strict=True):
                    data = ua.DataValue(ua.Variant(value, ua.VariantType.Double), SourceTimestamp=datetime.now(UTC))
                    await server.write_attribute_value(node, data)
        await asyncio.sleep(1.0)
        share = (time.process_time() - cpu) / (time.perf_counter() - began)
        print(json.dumps({"share": share, "late_s": late}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def _tanks(count: int) -> tuple[list[str], Values]:
    """Tanks with their controllers and instruments, moved on by a second of process time each second."""
    from seedtrain.automation._bench._tank import driven_tank

    tanks = [driven_tank(number) for number in range(count)]
    shown = list(tanks[0].seen)
    assert len(shown) <= TAGS_OF_A_TANK
    spare = [f"target-{number}" for number in range(TAGS_OF_A_TANK - len(shown))]

    def values(_: int) -> list[float]:
        found: list[float] = []
        for tank in tanks:
            tank.look(1 / 3600, ())
            tank.move(0.0, 1 / 3600, ())
            found += [*tank.seen.values(), *(0.0 for _ in spare)]
        return found

    return [f"{number}.{tag}" for number in range(count) for tag in (*shown, *spare)], values


def main(kind: str, count: int, seconds: int) -> None:
    """Serve one of the two loads."""
    names, values = _tanks(count) if kind == "tanks" else _tags(count)
    asyncio.run(_serve(names, seconds, values))


def _tags(count: int) -> tuple[list[str], Values]:
    """Tags that all show the second."""

    def values(second: int) -> list[float]:
        return [float(second)] * count

    return [f"tag-{number}" for number in range(count)], values


if __name__ == "__main__":
    given: Any = sys.argv
    main(given[1], int(given[2]), int(given[3]))
