"""`seedtrain bank` with all its commands."""

from __future__ import annotations

from seedtrain.cli import _bank, _bank_care  # noqa: F401  # the others put their commands on it

app = _bank.app
