"""Skip by name what needs python-libsbml, but never in CI."""

import os
from importlib.util import find_spec

import pytest

WITHOUT = {"test_tree.py", "test_formula.py", "test_render.py"}


def pytest_collection_modifyitems(items) -> None:
    if find_spec("libsbml") is not None or os.environ.get("SEEDTRAIN_REQUIRE_JUDGES"):
        return
    for item in items:
        if item.path.parent.name == "simulation_exchange" and item.path.name not in WITHOUT:
            item.add_marker(pytest.mark.skip(reason="not installed: python-libsbml"))
