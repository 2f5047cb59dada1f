"""Kernels: generated text, kept as modules in the cache folder, compiled by numba beside them."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from typing import Any, Final

from seedtrain.base import cache_folder, digest_bytes, write_atomic
from seedtrain.simulation._metabolism._kernels._explicit import explicit_text
from seedtrain.simulation._metabolism._kernels._search import HEAD, evaluation_text, search
from seedtrain.simulation._metabolism._kernels._stiff import stiff_text
from seedtrain.simulation._metabolism._kernels._structure import Structure

_MANY: Final = '''

@compiled
def METHOD_many(
    P, cut, maps, halves, starts, box, feeding, begun, edges, refuse, options, choice, use, z, clock, count, times,
    states, status, theta,
):
    """The trajectories named in `use`, each on its own, so that neither their order nor the caller's threads matter."""
    for item in range(use.shape[0]):
        m = use[item]
        status[m] = METHOD(
            P[m], cut, maps, halves, starts, box, feeding, begun, edges, refuse, options, choice, z[m], clock[m],
            count[m], times, states[m], theta[m],
        )
'''


@cache
def explicit_kernel(structure: Structure) -> Any:
    """The module with `explicit_many` for a structure."""
    return _module(
        HEAD + search(len(structure.bounds)) + explicit_text(structure) + _MANY.replace("METHOD", "explicit")
    )


@cache
def stiff_kernel(structure: Structure) -> Any:
    """The module with `stiff_many` for a structure."""
    return _module(HEAD + search(len(structure.bounds)) + stiff_text(structure) + _MANY.replace("METHOD", "stiff"))


@cache
def evaluation_kernel(p: int) -> Any:
    """The module with `evaluate` for tables of `p` bounds."""
    return _module(evaluation_text(p))


def _module(text: str) -> Any:
    """The module of a generated text; its file is written once, and numba keeps its machine code beside it."""
    raw = text.encode("utf-8")
    name = f"seedtrain_kernel_{digest_bytes(raw)[:24]}"
    path = cache_folder("numba") / f"{name}.py"
    if not path.is_file() or path.read_bytes() != raw:
        write_atomic(path, raw)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba looks a cached function's module up by name
    spec.loader.exec_module(module)
    return module
