"""What every section of the dossier draws on: program, results, batch record, and where a figure is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from seedtrain.automation import ExecutedLine, executed_strategy
from seedtrain.base import translate as _
from seedtrain.bioinformatics import Gene, StrainLimits
from seedtrain.development import Economics, ScaleResult
from seedtrain.gmp import BatchRecord, batch_record, names_of
from seedtrain.program._design_stages import DRAWS, DesignStages
from seedtrain.program._directory import Program
from seedtrain.program._dossier_words import stage_words
from seedtrain.program._engine import StageResult
from seedtrain.record import Event, Ledger
from seedtrain.report import Block, Figure, Table

SHOWN_DIGITS = 12
"""Of a digest, in a source note; the table of stages has the whole."""


@dataclass(frozen=True)
class Case:
    """One program with its finished stages and its ledger."""

    program: Program
    design: DesignStages
    results: Mapping[str, StageResult]
    ledger: Ledger
    changed: Mapping[str, Any] | None = None

    @cached_property
    def gene(self) -> Gene:
        """The designed gene."""
        return self.design.gene(self.results)

    @cached_property
    def strain(self) -> StrainLimits:
        """The strain's limits."""
        return self.design.strain(self.results)

    @cached_property
    def scales(self) -> tuple[ScaleResult, ScaleResult, ScaleResult]:
        """Bench, pilot and production."""
        bench, pilot, production = (
            self.design.scaled(self.results, vessel.name)
            for vessel in (self.program.bench, self.program.pilot, self.program.production)
        )
        return bench, pilot, production

    @property
    def bench(self) -> ScaleResult:
        """The process at the bench."""
        return self.scales[0]

    @property
    def pilot(self) -> ScaleResult:
        """The process at pilot scale, where the batch ran."""
        return self.scales[1]

    @property
    def production(self) -> ScaleResult:
        """The process at production scale, which answers the need."""
        return self.scales[2]

    @cached_property
    def economics(self) -> Economics:
        """Cost and carbon at production scale, as the stage found them."""
        found = self.design.economics(self.production, self.design.factors(), draws=DRAWS)
        stored = self.results["economics"].data["cost"]["total"]["value"]
        assert found.cost.total.value == stored, "the economics in print are not those of the stage"
        return found

    @property
    def criteria(self) -> list[dict[str, Any]]:
        """The rows of the gap."""
        return list(self.results["gap"].data["criteria"])

    def criterion(self, attribute: str) -> dict[str, Any] | None:
        """The first row of the gap for `attribute`."""
        return next((row for row in self.criteria if row["attribute"] == attribute), None)

    def limit(self, attribute: str) -> float | None:
        """The need's limit on `attribute`, in its unit."""
        row = self.criterion(attribute)
        return None if row is None else row["limit"]

    def asked(self, row: Mapping[str, Any]) -> str:
        """The value that the need states for a criterion, as the user wrote it."""
        for item in self.program.need.criteria:
            if (item.attribute, item.operator) == (row["attribute"], row["operator"]):
                return item.value
        return str(self.program.need.entry.amount)

    @property
    def batch(self) -> str:
        """The batch's number."""
        return str(self.results["batch"].data["batch"])

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """All events of the ledger."""
        return tuple(self.ledger.events())

    @cached_property
    def record(self) -> BatchRecord:
        """The batch's record."""
        return batch_record((event for event in self.events if event.subject == self.batch), self.batch)

    @cached_property
    def strategy(self) -> tuple[ExecutedLine, ...]:
        """The control strategy as executed."""
        return executed_strategy(self.pilot.control, self.ledger, self.batch)

    def name(self, actor: str) -> str:
        """An actor in print."""
        return str(self._names(actor))

    @cached_property
    def _names(self) -> Any:
        return names_of(self.ledger)

    def origin(self, excluded: str) -> Mapping[str, Any]:
        """The verdict on `excluded` in the batch's genealogy."""
        found: Mapping[str, Any] = self.results["batch"].data["content"]["origin"][excluded]
        return found

    def stage_note(self, *names: str) -> str:
        """Which stages a figure is from."""
        text = _("stage {stage}, result {digest}…")
        return "; ".join(
            text.format(stage=stage_words(name), digest=self.results[name].digest[:SHOWN_DIGITS]) for name in names
        )

    @property
    def batch_note(self) -> str:
        """That a figure is from the batch's events."""
        own = [event.seq for event in self.events if event.subject == self.batch]
        return self.event_note(own)

    @staticmethod
    def event_note(seqs: Iterable[int | None]) -> str:
        """Which events of the ledger a figure is from."""
        found = sorted({seq for seq in seqs if seq})
        if not found:
            return _("ledger")
        if len(found) == 1:
            return _("ledger, event {seq}").format(seq=found[0])
        return _("ledger, events {first} .. {last}").format(first=found[0], last=found[-1])


def traced(blocks: Iterable[Block], note: str) -> tuple[Block, ...]:
    """`blocks` of another room with the stage or events that their figures are from."""
    return tuple(
        replace(block, source=f"{block.source}; {note}" if block.source else note)
        if isinstance(block, (Table, Figure))
        else block
        for block in blocks
    )
