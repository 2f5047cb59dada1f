"""`seedtrain batch`: a batch from its start to its record, step by step."""

from __future__ import annotations

from cyclopts import App

app = App(name="batch", help="Run a batch with people, review it and release it.")
