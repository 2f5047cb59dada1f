"""Judges that nobody here wrote: a test that needs one which is not installed is skipped by name, but never in CI."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[1]


def required() -> bool:
    """Whether every judge must be here, as in CI."""
    return bool(os.environ.get("SEEDTRAIN_REQUIRE_JUDGES"))


def missing(words: str) -> NoReturn:
    """End a test whose judge is missing: skipped by name, failed where judges are required."""
    if required():
        pytest.fail(words)
    pytest.skip(words)


def node_judge(folder: Path, package: str) -> str:
    """Where node is, for a judge in `folder` that needs a package of npm."""
    node = shutil.which("node")
    if node is None or not (folder / "node_modules" / package).is_dir():
        missing(f"{package} is not installed: npm ci --prefix {folder.relative_to(ROOT)}")
    return node


def needs(*modules: str) -> pytest.MarkDecorator:
    """A mark for tests that need these modules."""
    lacking = [name for name in modules if find_spec(name) is None]
    return pytest.mark.skipif(bool(lacking) and not required(), reason=f"not installed: {', '.join(lacking)}")
