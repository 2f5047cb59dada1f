"""The packages of the group `reads`, which not everybody installs: two of them are compiled."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from seedtrain.base import InputError


def reads_package(name: str) -> Any:
    """The module `name`; an `InputError` with the remedy where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise InputError(
            f"{name} is not installed, and reads cannot be judged without it",
            remedy="Run `make reads`, or: pip install 'seedtrain[reads]' (a C compiler and zlib's headers are needed).",
        ) from None
