"""Names of criteria in the language in use."""

from __future__ import annotations

from seedtrain.base import translate as _


def criterion_words(name: str) -> str:
    """A criterion's name in the language in use; a name that is none of ours as it stands."""
    return {
        "reads judged": _("reads judged"),
        "full genomes": _("full genomes"),
        "internal deletions": _("internal deletions"),
        "plasmid backbone": _("plasmid backbone, reverse packaging included"),
        "host": _("host"),
        "helper": _("helper"),
        "repcap": _("rep/cap"),
        "of no sequence given": _("of no sequence given"),
        "intact repeats": _("intact repeats at the ends of full genomes"),
    }.get(name, name)
