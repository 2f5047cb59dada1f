"""A TCP proxy on loopback that can be cut: nothing passes, and nobody is told why."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
from types import TracebackType


class Proxy:
    """Stands between a client and the server at `url`; `url` of its own is where clients connect."""

    def __init__(self, url: str) -> None:
        found = re.fullmatch(r"(opc\.tcp://)([^:/]+):(\d+)(.*)", url)
        assert found is not None
        self._server = (found[2], int(found[3]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{found[1]}127.0.0.1:{self._listener.getsockname()[1]}{found[4]}"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._open, self._ended = threading.Event(), threading.Event()
        self._open.set()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self._drop()
        self._listener.close()

    def cut(self) -> None:
        """Every connection breaks, and new ones get no answer."""
        self._open.clear()

    def mend(self) -> None:
        """New connections pass again."""
        self._open.set()

    def _drop(self) -> None:
        for pair in self._pairs:
            for side in pair:
                side.close()
        self._pairs = []

    def _serve(self) -> None:
        while not self._ended.is_set():
            if not self._open.is_set():
                self._drop()
            sides = [side for pair in self._pairs for side in pair]
            heard = [self._listener, *sides] if self._open.is_set() else sides
            ready, _, _ = select.select(heard, [], [], 0.05)
            for side in ready:
                with contextlib.suppress(OSError):
                    self._accept() if side is self._listener else self._pass(side)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self._pairs.append((client, socket.create_connection(self._server)))

    def _pass(self, side: socket.socket) -> None:
        pair = next((item for item in self._pairs if side in item), None)
        if pair is None:
            return
        try:
            data = side.recv(65536)
        except OSError:
            data = b""
        if data:
            pair[0 if side is pair[1] else 1].sendall(data)
            return
        for end in pair:
            end.close()
        self._pairs.remove(pair)
