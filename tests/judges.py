"""Judges that nobody here wrote: a test that needs one which is not installed is skipped by name, but never in CI."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest


def needs(*modules: str) -> pytest.MarkDecorator:
    """A mark for tests that need these modules."""
    missing = [name for name in modules if find_spec(name) is None]
    skip = bool(missing) and not os.environ.get("SEEDTRAIN_REQUIRE_JUDGES")
    return pytest.mark.skipif(skip, reason=f"not installed: {', '.join(missing)}")
