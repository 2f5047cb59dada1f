"""Group commit: what many threads ask for at once reaches the disk in one commit, and each is told only then.

While one commit is on its way to the disk, the next is made ready, so that the disk and the processor work at the same
time: a commit costs the longer of the two, not their sum.
"""

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


Group = list[Request[Asked, Answer]]


def nothing_ahead(_group: Group[Asked, Answer]) -> None:
    """For writers that can do nothing before it is their turn."""


class GroupCommit(Generic[Asked, Answer]):
    """Callers queue; the first of them writes for all who queued, and hands the pen to the next as soon as he can.

    - `write`: makes one commit of the requests and sets `answer` or `error` of each; an exception is everybody's. It
      calls the function that it is given once the next group may be made ready.
    - `ready`: does ahead what can be done while the commit before is not on the disk yet. `write` follows, with the
      same list, in which others may stand besides at its end. Neither is called twice at a time; both may overlap.
    """

    def __init__(
        self,
        write: Callable[[Group[Asked, Answer], Callable[[], None]], None],
        ready: Callable[[Group[Asked, Answer]], None] = nothing_ahead,
    ) -> None:
        self._write = write
        self._ready = ready
        self._queue: deque[Request[Asked, Answer]] = deque()
        self._lock = threading.Lock()
        self._disk = threading.Lock()  # taken by who has the pen, in the order of the commits
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
        """Make one commit, with the pen; the pen is handed on when the next group may be made ready."""
        group: Group[Asked, Answer] = []
        pen = _Once(self._hand_on)
        leader = self._queue[0]  # ours: only who leads takes from the queue
        try:
            self._wait_for_others()
            self._take(group)
            if self._disk.locked():
                self._ready(group)
            with self._disk:
                self._take(group)
                self._last = len(group)
                self._write(group, pen)
        except BaseException as error:  # noqa: BLE001  # it belongs to everybody of the group
            if not group:
                self._take(group)
            for request in group:
                request.error = request.error or error
        finally:
            for request in group:
                request.done = True
            pen()
            for request in group:
                if request is not leader:
                    request.turn.release()

    def _take(self, group: Group[Asked, Answer]) -> None:
        """Put those who wait into the group, up to one whose wish must come first in its commit."""
        with self._lock:
            while self._queue and len(group) < MOST_OF_A_GROUP and not (group and self._queue[0].alone):
                group.append(self._queue.popleft())

    def _hand_on(self) -> None:
        with self._lock:
            following = self._queue[0] if self._queue else None
            self._busy = following is not None
        if following is not None:
            following.turn.release()

    def _wait_for_others(self) -> None:
        """Give those whom the last commit has set free a moment to come back; whoever is alone goes at once."""
        with self._lock:
            wanted = self._last * 9 // 10 if self._last > 1 else 0
        if len(self._queue) >= wanted:
            return
        with self._disk:  # those of the commit before come back once it is done
            pass
        with self._lock:
            if len(self._queue) >= wanted:
                return
            self._enough.clear()
            self._wanted = wanted
        self._enough.wait(LONGEST_WAIT_S)
        with self._lock:
            self._wanted = 0


class _Once:
    """A call that is made once, however often it is asked for."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._made = False

    def __call__(self) -> None:
        if not self._made:
            self._made = True
            self._call()


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
