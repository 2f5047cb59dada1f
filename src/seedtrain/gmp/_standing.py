"""Which events count: those signed by their own actor, who had a role for what they say when they said it.

The commands refuse what may not be; but whoever can write to the ledger can append events past them. What frees,
vouches for or moves something therefore counts only with its signature; what stops something counts as it stands.
Clauses: 21 CFR 11.10(g) authority checks, 11.70 signatures belong to their records.
"""

from __future__ import annotations

from seedtrain.gmp._authority import could
from seedtrain.record import Event, Ledger


class Standing:
    """Asked of one reading of a ledger: it keeps the signatures that it has seen."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._signed: dict[str, frozenset[tuple[str, str]]] = {}

    def counts(self, event: Event, duty: str) -> bool:
        """Whether the event is signed by its actor, who could do this duty then."""
        return (event.digest, event.actor) in self._of(event.subject) and could(self._ledger, event, duty)

    def _of(self, subject: str) -> frozenset[tuple[str, str]]:
        if subject not in self._signed:
            found = self._ledger.events(subject=subject, type="signature.applied")
            self._signed[subject] = frozenset((str(item.payload["record_digest"]), item.actor) for item in found)
        return self._signed[subject]
