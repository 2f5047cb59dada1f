"""The Python in which another program lives that Seedtrain asks, or is measured beside, in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Final

from seedtrain.base import UnavailableError

ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def peer_python(given: str | None, variable: str, module: str, name: str, remedy: str) -> str:
    """The interpreter: the one `given`, else what the environment's `variable` names, else this one if it has `module`.

    Raises `UnavailableError` with `remedy` where there is none of them. What is given is not tried here.
    """
    found = given or os.environ.get(variable)
    if found:
        return found
    if importlib.util.find_spec(module) is None:
        raise UnavailableError(f"{name} is not installed", remedy=remedy)
    return sys.executable


def peer_environment(interpreter: str) -> dict[str, str]:
    """The environment as if that Python's own were activated (its programs come first), one thread for each."""
    programs = str(Path(interpreter).parent) if os.sep in interpreter else ""
    path = os.pathsep.join(filter(None, [programs, os.environ.get("PATH", "")]))
    return {**os.environ, **ONE_THREAD, "PATH": path}
