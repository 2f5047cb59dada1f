"""Group commit: what many threads ask for at once reaches the disk in one commit, and each is told only then."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

LONGEST_WAIT_S: Final = 0.010  # for others to join; a caller who comes alone does not wait
MOST_OF_A_GROUP: Final = 1024
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Request(Generic[Asked, Answer]):
    """One caller's wish and, once `write` has dealt with it, the answer or the error.

    - `alone`: the wish depends on what is stored, so that nothing may come before it in its commit.
    """

    def __init__(self, asked: Asked, *, alone: bool) -> None:
        self.asked = asked
        self.alone = alone
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.done = False
        self.turn = threading.Lock()
        self.turn.acquire()


class GroupCommit(Generic[Asked, Answer]):
    """Callers queue; the first of them writes for all who queued, then hands the pen to the next.

    - `write`: makes one commit of the requests and sets `answer` or `error` of each; an exception is everybody's.
    """

    def __init__(self, write: Callable[[list[Request[Asked, Answer]]], None]) -> None:
        self._write = write
        self._queue: deque[Request[Asked, Answer]] = deque()
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self._wanted = 0  # the leader waits until so many have queued
        self._busy = False
        self._last = 1  # size of the last group: about so many will come again

    def ask(self, asked: Asked, *, alone: bool = False) -> Answer:
        """Queue a wish, wait for its commit, and return the answer or raise the error."""
        request: Request[Asked, Answer] = Request(asked, alone=alone)
        with self._lock:
            self._queue.append(request)
            leads = not self._busy
            self._busy = True
            if self._wanted and len(self._queue) >= self._wanted:
                self._enough.set()
        interrupted = None if leads else _wait(request.turn)
        if not request.done:
            self._lead()
        if interrupted is not None:
            raise interrupted
        if request.error is not None:
            raise request.error
        assert request.answer is not None
        return request.answer

    def _lead(self) -> None:
        group: list[Request[Asked, Answer]] = []
        try:
            self._wait_for_others()
            with self._lock:
                while self._queue and len(group) < MOST_OF_A_GROUP and not (group and self._queue[0].alone):
                    group.append(self._queue.popleft())
                self._last = len(group)
            self._write(group)
        except BaseException as error:  # noqa: BLE001  # it belongs to everybody of the group
            for request in group:
                request.error = request.error or error
        finally:
            for request in group:
                request.done = True
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._busy = following is not None
            for request in group[1:]:
                request.turn.release()
            if following is not None:
                following.turn.release()

    def _wait_for_others(self) -> None:
        """Give those whom the last commit has set free a moment to come back; whoever is alone goes at once."""
        with self._lock:
            self._wanted = self._last * 9 // 10 if self._last > 1 else 0
            if len(self._queue) >= self._wanted:
                self._wanted = 0
            self._enough.clear()
            wanted = self._wanted
        if wanted:
            self._enough.wait(LONGEST_WAIT_S)
            with self._lock:
                self._wanted = 0


def _wait(turn: threading.Lock) -> BaseException | None:
    """Wait even through an interruption, which is given back: the wish is queued, and the next to lead may be us."""
    interrupted = None
    while True:
        try:
            turn.acquire()
        except BaseException as error:  # noqa: BLE001
            interrupted = error
        else:
            return interrupted
