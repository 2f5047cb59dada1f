"""`seedtrain lot` with all its commands."""

from __future__ import annotations

from seedtrain.cli import _lot, _lot_decide, _lot_stock, _lot_trace  # noqa: F401  # the others put their commands on it

app = _lot.app
