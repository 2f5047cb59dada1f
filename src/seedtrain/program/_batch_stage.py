"""The batch stage: the pilot control recipe executed, reviewed and released, every step an event in the ledger.

The people are scripted and say so; the plant is a virtual one, a server of its own that is driven over OPC UA, and says
that it is simulated. A killed stage goes on with the batch that it
had begun; a stage with other inputs begins another batch. The ledger is only ever appended to.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from seedtrain.automation import (
    CHECKER,
    OPERATOR,
    SHIFT_LEADER,
    LivePlant,
    Recorder,
    execute,
    executed_strategy,
    served_plant,
)
from seedtrain.base import Progress, digest, part, write_json
from seedtrain.base import translate as _
from seedtrain.development import ScaleResult
from seedtrain.gmp import (
    BatchRecord,
    LedgerPermit,
    amend_lot,
    approve_recipe,
    assure_origin,
    batch_record,
    close_deviation,
    decide_release,
    open_deviations,
    receive_lots,
    received_lots,
    record_results,
    review,
)
from seedtrain.program._design_stages import DesignStages, Results
from seedtrain.program._directory import Program
from seedtrain.program._engine import Stage, StageOutput, StageResult
from seedtrain.program._quality_control import simulated_results
from seedtrain.quality import ORIGINS, Lot, Verdict, VerdictWord
from seedtrain.recipe import ControlRecipe
from seedtrain.record import Ledger, enrol_person, moment, open_ledger
from seedtrain.simulation import Run

PENDING: Final = "batch.pending.json"
PLANT_STATE: Final = "plant.state.json"
BEHIND: Final = timedelta(days=28)
"""A simulated batch begins on the process clock this long before it is recorded, so that nothing in it has occurred
after it was recorded."""
AFTER: Final = {"deviations": 1, "results": 5, "review": 6, "decision": 7}
"""Days from the end of the batch, on the process clock; assumed."""
CREW: Final = {
    "author": ("Process scientist", "process_development"),
    "approver": ("Head of production", "production_management"),
    OPERATOR: ("Operator", "operator"),
    CHECKER: ("Second operator", "operator"),
    SHIFT_LEADER: ("Shift leader", "shift_leader"),
    "store": ("Storekeeper", "warehouse"),
    "analyst": ("Analyst", "quality_control"),
    "reviewer": ("Batch reviewer", "quality_assurance"),
    "qa": ("Authorised person", "quality_assurance"),
}
VOLATILE: Final = frozenset(
    (
        *("seq", "id", "actor", "device", "occurred_at", "recorded_at", "created_at", "created_by", "started_at"),
        *("started_by", "completed_at", "completed_by", "completed_seq", "doers", "over", "record_digest"),
        *("opened_by", "last", "covers", "acknowledged", "signatures", "line"),
    )
)
"""Fields of a batch record that another batch of the same inputs would have otherwise, and lines of the recipe's file,
which a comment moves."""


@dataclass(frozen=True)
class BatchStage:
    """The batch at pilot scale."""

    program: Program
    design: DesignStages

    def stage(self) -> Stage:
        """The stage."""
        return Stage("batch", self._inputs, self._work, holds=lambda result: self.seal(result) is not None)

    def seal(self, result: StageResult) -> str | None:
        """Digest of the last event of a result's batch, which stands for all before it; None where its record is gone.

        A ledger that cannot be read is a typed failure: nothing is made again beside it.
        """
        if not self.ledger_path.exists():
            return None
        with open_ledger(self.ledger_path, create=False, read_only=True) as ledger:
            return max(
                ((event.seq, event.digest) for event in ledger.events(subject=str(result.data["batch"]))),
                default=(0, None),
            )[1]

    @property
    def ledger_path(self) -> Path:
        """Where the ledger is."""
        return self.program.out / "record.db"

    def _inputs(self, results: Results) -> dict[str, Any]:
        program = self.program
        return {
            **({"nature": self.design.nature(results).digest} if "campaign" in results else {}),
            "pilot": digest(results["scale"].data[program.pilot.name]),
            "gene": self.design.gene(results).checks.verdict,
            "recipe": self.design.recipe(results).digest,
            "lots": [[lot.id, digest(lot.to_data())] for lot in program.plant.lots],
            "faults": [repr(fault) for fault in program.plant.faults],
            "seed": program.seed,
        }

    def _work(self, results: Results, progress: Progress) -> StageOutput:
        pilot = self.design.in_nature(results, self.design.scaled(results, self.program.pilot.name))
        key = digest(self._inputs(results))
        with open_ledger(self.ledger_path) as ledger:
            crew = {role: enrol_person(ledger, name, [duty], scripted=True) for role, (name, duty) in CREW.items()}
            batch, start = self._begin(ledger, key)
            before = start - timedelta(days=1)
            approve_recipe(ledger, pilot.control, author=crew["author"], approver=crew["approver"], at=before)
            lots = self._store(ledger, crew["store"], before)
            live = self._live(results)
            measured = self._execute(ledger, batch, start, crew, lots, pilot, live, part(progress, 0.0, 0.8))
            progress(0.8, "deviations, quality control, review")
            self._judge(ledger, batch, crew, pilot, self.design.gene(results).checks.verdict)
            output = self._output(ledger, batch, pilot.control, measured)
        for name in (PENDING, PLANT_STATE):
            (self.program.out / name).unlink(missing_ok=True)
        return output

    def _begin(self, ledger: Ledger, key: str) -> tuple[str, datetime]:
        """The batch that a killed run left behind, or a new one, and its start on the process clock."""
        path = self.program.out / PENDING
        try:
            pending = json.loads(path.read_bytes())
            if pending["key"] == key:
                return str(pending["batch"]), datetime.fromisoformat(pending["start"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # nothing was begun, or not in a way that can be gone on with
        count = sum(1 for _ in ledger.events(type="batch.created"))
        name = re.sub(r"[^A-Z0-9]+", "", self.program.recipe.name.upper())[:12] or "BATCH"
        batch = f"{name}-{count + 1:03d}"
        start = (datetime.now(UTC) - BEHIND).replace(microsecond=0)
        write_json(path, {"key": key, "batch": batch, "start": start.isoformat()})
        return batch, start

    def _store(self, ledger: Ledger, actor: str, at: datetime) -> list[Lot]:
        """The lots of the plant as the ledger has them; what the user declares anew amends what was received."""
        known = received_lots(ledger.events())
        fresh = [lot for lot in self.program.plant.lots if lot.id not in known]
        receive_lots(ledger, fresh, actor, at=at)
        for lot in self.program.plant.lots:
            if lot.id in known and known[lot.id] != lot:
                amend_lot(ledger, lot, "declared anew in plant.yaml", actor, at=at)
        now = received_lots(ledger.events())
        return [now[lot.id] for lot in self.program.plant.lots]

    def _live(self, results: Results) -> LivePlant:
        """What the virtual plant integrates: this product's culture in the program's vessels, or the hidden truth of a
        virtual campaign, so that the batch measures what the model has to predict."""
        named = self.program.folder / self.program.recipe.culture
        culture = self.design.nature(results)
        values = {name: item.value for name, item in culture.parameters.items()}
        units = self.program.plant.document.data["units"]
        return LivePlant(str(named.resolve()) if named.is_file() else self.program.recipe.culture, units, values)

    def _execute(
        self,
        ledger: Ledger,
        batch: str,
        start: datetime,
        crew: Mapping[str, str],
        lots: list[Lot],
        pilot: ScaleResult,
        live: LivePlant,
        progress: Progress,
    ) -> Run:
        def on_excursion(_: object) -> None:
            open_deviations(ledger, batch)

        if any(ledger.events(subject=batch)):  # a run may have been killed between an excursion and its deviation
            open_deviations(ledger, batch)
        progress(0.0, _("the virtual plant starts"))
        with (
            served_plant(
                pilot.control,
                production=pilot.production,
                seeds=pilot.seeds,
                steps=pilot.steps,
                faults=self.program.plant.faults,
                units=tuple(self.program.plant.vessels),
                document=self.program.plant.document,
                seed=self.program.seed,
                live=live,
                state=self.program.out / PLANT_STATE,
            ) as plant,
            Recorder(ledger, batch, origin="simulated") as recorder,
        ):
            return execute(
                pilot.control,
                plant,
                ledger,
                batch=batch,
                operators={role: crew[role] for role in (OPERATOR, CHECKER, SHIFT_LEADER)},
                lots=lots,
                permit=LedgerPermit(ledger, pilot.control),
                start=start,
                on_excursion=on_excursion,
                progress=progress,
                recorder=recorder,
            )

    def _judge(
        self, ledger: Ledger, batch: str, crew: Mapping[str, str], pilot: ScaleResult, identity: VerdictWord
    ) -> None:
        """Deviations closed, product tested, record reviewed, decision made."""
        open_deviations(ledger, batch)
        record = batch_record(ledger.events(subject=batch), batch)
        ended = record.steps[-1].completed_at
        assert ended is not None
        at = {name: moment(ended) + timedelta(days=days) for name, days in AFTER.items()}
        for deviation in record.deviations:
            if deviation.closure is None:
                close_deviation(
                    ledger,
                    batch,
                    deviation.deviation,
                    impact=f"{deviation.tag} was outside its limits from {deviation.start_h} h to "
                    f"{deviation.end_h} h of the phase; every attribute of the product is tested before release.",
                    cause=self._cause(deviation.phase, deviation.tag),
                    action="The batch goes on to release testing; the cause is removed before the next batch.",
                    classification="minor",
                    actor=crew["qa"],
                    at=at["deviations"],
                )
        results = simulated_results(
            pilot.control.recipe.specification,
            pilot.quality,
            identity=identity,
            sample=f"{batch}-QC-01",
            seed=self.program.seed,
        )
        specification = pilot.control.recipe.specification
        record_results(ledger, batch, specification, results, crew["analyst"], at=at["results"])
        comment = "seen; a scripted review"
        review(ledger, batch, crew["reviewer"], recipe=pilot.control, comment=comment, at=at["review"])
        decide_release(ledger, batch, crew["qa"], recipe=pilot.control, at=at["decision"])

    def _cause(self, phase: str, tag: str) -> str:
        for fault in self.program.plant.faults:
            if fault.phase == phase and fault.tag in (tag, "") and fault.what:
                return f"Planned fault of the simulation: {fault.what}."
        return "Not planned: the simulated process leaves its limits here. See the trend of the phase."

    def _output(self, ledger: Ledger, batch: str, control: ControlRecipe, measured: Run) -> StageOutput:
        record = batch_record(ledger.events(subject=batch), batch)
        assert record.decision is not None
        assert record.lot is not None
        events = tuple(ledger.events())  # for every origin, so that another need does not need another batch
        origin = {word: assure_origin(events, record.lot, word).to_data() for word in ORIGINS}
        # Hourly telemetry begins and ends when readings came; the segments of phases hold the same, whenever that was.
        kept = dataclasses.replace(record, segments=tuple(item for item in record.segments if item.phase))
        content = {
            "record": stable(dataclasses.asdict(kept)),
            "strategy": [stable(line.to_data()) for line in executed_strategy(control, ledger, batch)],
            "origin": origin,
            "measured": measured.to_data(),
        }
        data = {"batch": batch, "lot": record.lot, "decision": record.decision.decision}
        return StageOutput(
            {**data, "content": _anonymous(content, batch)},
            {"measured.csv": measured.to_csv()},
        )

    def record(self, ledger: Ledger, results: Results) -> BatchRecord:
        """The batch's record, folded from the ledger."""
        batch = str(results["batch"].data["batch"])
        return batch_record(ledger.events(subject=batch), batch)


def origin_verdict(results: Results, excluded: str) -> Verdict:
    """Whether the batch's genealogy is free of `excluded`."""
    return Verdict.from_data(results["batch"].data["content"]["origin"][excluded])


def stable(value: Any) -> Any:
    """`value` without what another batch of the same inputs would have otherwise; JSON-ready."""
    if isinstance(value, Mapping):
        return {str(key): stable(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, (frozenset, set)):
        return sorted(stable(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [stable(item) for item in value]
    return value


def _anonymous(value: Any, batch: str) -> Any:
    """`value` with the batch's number written as a word."""
    if isinstance(value, str):
        return value.replace(batch, "BATCH")
    if isinstance(value, Mapping):
        return {key: _anonymous(item, batch) for key, item in value.items()}
    if isinstance(value, list):
        return [_anonymous(item, batch) for item in value]
    return value
