"""What the reviewer acknowledged, in print."""

from __future__ import annotations

from collections.abc import Iterator

from seedtrain.base import translate as _
from seedtrain.gmp._documents._case import Case, none_or, plain_time, table
from seedtrain.gmp._quality._exceptions import kind_words
from seedtrain.report import Block, Heading


def acknowledged_section(case: Case) -> Iterator[Block]:
    """The exceptions of the last review, each with the reviewer's comment (21 CFR 211.192)."""
    yield Heading(_("Exceptions as acknowledged"))
    shown = list(_acknowledged(case))
    columns = (_("Kind"), _("What"), _("Comment"), _("Reviewed by"))
    yield none_or(shown, lambda: table(columns, shown, widths=(12, 36, 30, 12)))


def _acknowledged(case: Case) -> Iterator[tuple[str, ...]]:
    reviews = [event for event in case.events if event.type == "batch.reviewed"]
    for row in reviews[-1].payload["exceptions"] if reviews else ():
        name = f"{case.name(reviews[-1].actor)}, {plain_time(reviews[-1].occurred_at)}"
        yield kind_words(str(row["kind"])), str(row["words"]), str(row.get("comment", "")), name
