"""The `seedtrain` command: thin faces over the rooms' own functions."""

from seedtrain.cli._app import main

__all__ = ["main"]
