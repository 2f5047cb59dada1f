"""What every test shares."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import settings

from tests.worked import copied, made_once, run_collagen, run_easy

# A deadline per example measures the machine, not the code. The examples are the same in each run, so that a change is
# judged by what it changed; HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("seedtrain", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "seedtrain"))

# A shell's background job ignores interrupts, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own there
ROOM = 2 * 1024**3
"""Bytes that must be free for the temporary folders; those of tests that passed are removed at once."""


def pytest_configure(config: pytest.Config) -> None:
    """Temporary folders in memory where there is room: a ledger flushes every event, and disks take their time."""
    if config.option.basetemp is None and "PYTEST_DEBUG_TEMPROOT" not in os.environ and takes(IN_MEMORY):
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(IN_MEMORY)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes and whole files go by their argument's name.

    What a compressor writes holds the second it was written in, and all processes must find the same tests.
    """
    return argname if isinstance(val, bytes) or (isinstance(val, str) and "\n" in val) else None


def takes(folder: Path) -> bool:
    """Whether files can be written, run and kept there."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(folder)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return not found.f_flag & os.ST_NOEXEC and min(found.f_bavail * found.f_frsize, free) > ROOM


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """One folder for all processes of this run of the tests."""
    base: Path = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def make_finished(base: Path) -> Path:
    return made_once(base, "finished", run_collagen)


def make_easy(base: Path) -> Path:
    return made_once(base, "easy", lambda folder: run_easy(make_finished(base), folder))


@pytest.fixture(scope="session", autouse=True)
def begun_early(request, shared_folder) -> None:
    """In a run by several processes the worked example is run beside the first tests, many of which wait for a clock.

    Else all processes but one would wait for it. What fails here fails again, and is told, where it is asked for.
    """
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    make = make_easy if "easy_finished" in wanted else make_finished
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw0" and wanted & {"finished", "easy_finished"}:
        Thread(target=quietly, args=(make, shared_folder), daemon=True).start()


def quietly(make, base: Path) -> None:
    with suppress(Exception):
        make(base)


@pytest.fixture(scope="session")
def finished(shared_folder) -> Path:
    """The worked example after `seedtrain run`; not to be changed. What the run said is in `finished.json` beside."""
    return make_finished(shared_folder)


@pytest.fixture(scope="session")
def easy_finished(shared_folder) -> Path:
    """The worked example with a need that is met; not to be changed."""
    return make_easy(shared_folder)


@pytest.fixture
def easy(easy_finished, tmp_path) -> Path:
    """A copy of it, for a test that changes something."""
    return copied(easy_finished, tmp_path / "easy")
