"""A program in a process of its own, asked line by line: what must not be loaded here, or may have to be stopped."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from select import PIPE_BUF
from threading import Lock
from typing import IO, Any, Final, Self

from seedtrain.base._errors import UnavailableError

LONGEST_QUOTE: Final = 200
"""Letters of what the process said that a message repeats."""
GRACE_S: Final = 1.0
"""s that a process has to end by itself after it closed its output."""


class Worker:
    """A process that answers each line with a line; started when it is first asked, ended by `close` or a `with`.

    - `command`: its words. - `name`: what messages call it. - `remedy`: what to do where it fails.
    - `environment`: its variables, else those of this process.
    - `again`: after it ended it is started anew; otherwise every later question is refused.

    Threads take turns. It never outlives an interrupted question, and an answer that comes late is no other's.
    """

    def __init__(
        self, command: Sequence[str], *, name: str, remedy: str, environment: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> None:  # fmt: skip
        self._command = list(command)
        self._name = name
        self._remedy = remedy
        self._environment = None if environment is None else dict(environment)
        self._again = again
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._code: int | None = None
        self._heard = b""
        self._said: IO[bytes] | None = None
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._process is None else self._process.pid

    def ask(self, question: str, *, limit: float | None = None, about: str = "") -> str:
        """The line that answers `question`, which is one line too.

        - `limit`: s; the process is ended beyond it. - `about`: what was asked, for messages.

        Raises `UnavailableError` where the process cannot be started, ends instead, or takes too long.
        """
        assert "\n" not in question
        return self._answer(question.encode("utf-8") + b"\n", limit, about)

    def hear(self, *, limit: float | None = None) -> str:
        """A line that the process says by itself, as when it begins; raises as `ask` does."""
        return self._answer(b"", limit, "")

    def ask_json(self, question: Mapping[str, Any], *, limit: float | None = None, about: str = "") -> dict[str, Any]:
        """The object that answers `question`; raises as `ask` does, and for an answer that is no object."""
        return self._object(self.ask(json.dumps(question), limit=limit, about=about))

    def hear_json(self, *, limit: float | None = None) -> dict[str, Any]:
        """An object that the process says by itself; raises as `ask_json` does."""
        return self._object(self.hear(limit=limit))

    def close(self) -> None:
        """End the process and what it started, if there is one."""
        with self._lock:
            self._end()

    def _answer(self, text: bytes, limit: float | None, about: str) -> str:
        about = f" ({about})" if about else ""
        with self._lock:
            process = self._started()
            try:
                if text and self._heard:
                    raise self._error(f"{self._name} said what it was not asked: {self._heard[:LONGEST_QUOTE]!r}")
                return self._exchanged(process, text, limit).decode("utf-8", "replace")
            except TimeoutError:
                self._end()
                raise self._error(f"{self._name} did not answer in {limit:g} s{about}") from None
            except (EOFError, BrokenPipeError):
                with suppress(subprocess.TimeoutExpired):  # its own exit code, where it is about to end
                    process.wait(GRACE_S)
                self._end()
                said = f": {self._last}" if self._last else ""
                fault = f"{self._name} ended before it answered{about} (exit code {self._code}){said}"
                raise self._error(fault) from None
            except BaseException:  # interrupted: what is under way is no answer to the next question
                self._end()
                raise

    def _object(self, line: str) -> dict[str, Any]:
        with suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
        self.close()
        raise self._error(f"{self._name} answered with what is no object of JSON: {line[:LONGEST_QUOTE]!r}")

    def _error(self, message: str) -> UnavailableError:
        return UnavailableError(message, remedy=self._remedy)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None and not self._heard:
            self._end()
        if self._process is None:
            if self._code is not None and not self._again:
                raise self._error(f"{self._name} has ended (exit code {self._code})")
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
            try:
                self._process = subprocess.Popen(  # noqa: S603 - what the caller names, without a shell
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, bufsize=0,
                    env=self._environment, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                self._said.close()
                raise self._error(f"{self._name}: {self._command[0]!r} cannot be run: {error.strerror}") from error
        return self._process

    def _exchanged(self, process: subprocess.Popen[bytes], text: bytes, limit: float | None) -> bytes:
        """Write and read whatever is ready, up to the end of a line: neither side waits for the other to read first."""
        assert process.stdin is not None
        assert process.stdout is not None
        until = None if limit is None else time.monotonic() + limit
        left = memoryview(text)
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            if left:
                ready.register(process.stdin, selectors.EVENT_WRITE)
            while b"\n" not in self._heard or left:
                if until is not None and time.monotonic() >= until:
                    raise TimeoutError
                for key, _events in ready.select(None if until is None else until - time.monotonic()):
                    if key.fileobj is process.stdin:
                        left = left[os.write(key.fd, left[:PIPE_BUF]) :]  # as much as never waits
                        if not left:
                            ready.unregister(process.stdin)
                    elif piece := os.read(key.fd, 1 << 16):
                        self._heard += piece
                    else:
                        raise EOFError
        line, _end, self._heard = self._heard.partition(b"\n")
        return line

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self._code, self._heard = process.wait(), b""
        assert self._said is not None
        self._said.seek(0)
        words = self._said.read().decode("utf-8", "replace").strip().splitlines()
        self._last = words[-1][:LONGEST_QUOTE] if words else ""
        for stream in (process.stdin, process.stdout, self._said):
            if stream is not None:
                stream.close()
