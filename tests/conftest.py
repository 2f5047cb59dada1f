"""What every test shares."""

import os
import signal
from pathlib import Path

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


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """One folder for all processes of this run of the tests."""
    base: Path = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def finished(shared_folder) -> Path:
    """The worked example after `seedtrain run`; not to be changed. What the run said is in `finished.json` beside."""
    return made_once(shared_folder, "finished", run_collagen)


@pytest.fixture(scope="session")
def easy_finished(shared_folder, finished) -> Path:
    """The worked example with a need that is met; not to be changed."""
    return made_once(shared_folder, "easy", lambda folder: run_easy(finished, folder))


@pytest.fixture
def easy(easy_finished, tmp_path) -> Path:
    """A copy of it, for a test that changes something."""
    return copied(easy_finished, tmp_path / "easy")
