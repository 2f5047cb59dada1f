"""A process asked line by line: whatever it does instead of answering is told, and it is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import UnavailableError, Worker

TURN = "import sys\nfor line in sys.stdin: print(line.rstrip('\\n')[::-1], flush=True)"


def worker(code: str = TURN, **more) -> Worker:
    return Worker([sys.executable, "-S", "-c", code], name="the turner", remedy="Ask again.", **more)


def is_gone(pid: int | None) -> bool:
    """Ended and reaped."""
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(scope="module")
def turner():
    with worker() as found:
        yield found


@settings(max_examples=60)
@given(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])))
def test_each_question_has_its_answer(turner, words) -> None:
    assert turner.ask(words) == words[::-1]


def test_nothing_is_started_before_the_first_question_and_nothing_is_left() -> None:
    with worker() as found:
        assert found.pid is None
        assert found.ask("ab") == "ba"
        pid = found.pid
    assert is_gone(pid)
    with pytest.raises(UnavailableError, match="has ended"):
        found.ask("ab")


def test_long_questions_and_answers_pass_while_both_are_written() -> None:
    """More than any pipe holds, answered before it is read to its end."""
    echo = "import os\nwhile piece := os.read(0, 4096): os.write(1, piece)"
    with worker(echo) as found:
        assert found.ask("x" * 3_000_000, limit=60) == "x" * 3_000_000


def test_objects_go_both_ways_and_a_greeting_comes_first() -> None:
    code = "import sys, json\nprint(json.dumps({'version': 2}), flush=True)\n" + TURN.replace("[::-1]", "")
    with worker(code) as found:
        assert found.hear_json(limit=60) == {"version": 2}
        assert found.ask_json({"ä": [1, None]}) == {"ä": [1, None]}


@pytest.mark.parametrize("answer", ["what a day", "[1]", "NaN", "", "\\xff\\xfe\\x00"])
def test_what_is_no_object_is_quoted_and_ends_the_process(answer) -> None:
    with worker(f"input(); import sys; sys.stdout.buffer.write(b'{answer}\\n'); sys.stdout.flush(); input()") as found:
        with pytest.raises(UnavailableError, match=r"the turner answered with what is no object of JSON: '") as caught:
            found.ask_json({}, limit=60)
        assert caught.value.remedy == "Ask again."
        assert found.pid is None


def test_an_answer_too_many_is_not_that_to_the_next_question() -> None:
    with worker("for _ in '12': input(); print('first\\nsecond', flush=True)") as found:
        assert found.ask("a", limit=60) == "first"
        with pytest.raises(UnavailableError, match="said what it was not asked: b'second"):
            found.ask("b", limit=60)
        assert found.pid is None


@pytest.mark.parametrize(("code", "words"), [
    ("raise SystemExit('out of memory')", r"\(about 9 nt\) \(exit code 1\): out of memory"),
    ("import os; os.kill(os.getpid(), 9)", r"\(about 9 nt\) \(exit code -9\)"),
    ("print('half a line', end='', flush=True)", r"\(about 9 nt\) \(exit code 0\)"),
    ("import os, sys, time; os.close(1); time.sleep(0.1); sys.exit(7)", r"\(about 9 nt\) \(exit code 7\)"),
])  # fmt: skip
def test_an_end_instead_of_an_answer_says_how_and_what_was_said_last(code, words) -> None:
    with worker(f"input()\n{code}") as found:
        with pytest.raises(UnavailableError, match=f"^the turner ended before it answered {words}\n  remedy: "):
            found.ask("x", about="about 9 nt")
        with pytest.raises(UnavailableError, match="has ended"):
            found.ask("x")


def test_it_is_started_anew_where_that_is_wanted() -> None:
    with worker(again=True) as found:
        assert found.ask("ab") == "ba"
        first = found.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        threading.Timer(0.1, os.kill, (first, signal.SIGKILL)).start()
        with pytest.raises(UnavailableError, match="exit code -9"):
            found.ask("x" * 1_000_000)
        assert found.ask("cd") == "dc"
        assert found.pid != first


def test_an_answer_that_is_late_is_waited_for_no_longer_than_allowed() -> None:
    code = (
        "import sys, time\n"
        "for line in sys.stdin: time.sleep(60 if line == 'slow\\n' else 0); print(line, end='', flush=True)"
    )
    with worker(code, again=True) as found:
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match=r"the turner did not answer in 0\.3 s"):
            found.ask("slow", limit=0.3)
        assert time.monotonic() - begun < 20
        assert found.pid is None
        assert found.ask("quick", limit=60) == "quick"


def test_a_flood_without_an_end_of_line_is_cut_off_too() -> None:
    with worker("while True: print('x' * 1000, end='')") as found:
        with pytest.raises(UnavailableError, match=r"did not answer in 0\.3 s"):
            found.ask("x", limit=0.3)
        assert found.pid is None


def test_what_it_started_ends_with_it() -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        "input(); print(child.pid, flush=True); time.sleep(60)"
    )
    with worker(code) as found:
        child = int(found.ask("who"))
    until = time.monotonic() + 20
    while time.monotonic() < until and state_of(child) not in "ZX":
        time.sleep(0.01)
    assert state_of(child) in "ZX"


def state_of(pid: int) -> str:
    """The letter that Linux has for it: Z and X are over."""
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(") ")[2][0]
    except FileNotFoundError:
        return "X"


def test_an_interrupted_question_ends_the_process() -> None:
    code = (
        "import os, signal, sys, threading\n"
        "from seedtrain.base import Worker\n"
        "found = Worker([sys.executable, '-S', '-c', 'import time; input(); time.sleep(60)'], name='x', remedy='y')\n"
        "threading.Timer(0.3, lambda: (print(found.pid, flush=True), os.kill(os.getpid(), signal.SIGINT))).start()\n"
        "try: found.ask('x')\n"
        "except KeyboardInterrupt: print('interrupted', found.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    pid, words = done.stdout.splitlines()
    assert words == "interrupted None"
    assert is_gone(int(pid))


def test_threads_take_turns() -> None:
    with worker() as found:
        answers: dict[str, str] = {}

        def ask(words: str) -> None:
            answers[words] = found.ask(words)

        threads = [threading.Thread(target=ask, args=(f"{number:03}",)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {words: words[::-1] for words in (f"{number:03}" for number in range(40))}


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(UnavailableError, match="the turner: '/nowhere/python' cannot be run: No such file"):
        Worker(["/nowhere/python"], name="the turner", remedy="Install it.").ask("x")
