"""`seedtrain batch` with all its commands."""

from __future__ import annotations

from seedtrain.cli import (
    _batch,
    _batch_alarms,
    _batch_documents,
    _batch_golden,
    _batch_live,
    _batch_review,
    _batch_watch,
)

app = _batch.app
_batch_alarms.add_to(app)
_batch_documents.add_to(app)
_batch_golden.add_to(app)
_batch_live.add_to(app)
_batch_review.add_to(app)
_batch_watch.add_to(app)
