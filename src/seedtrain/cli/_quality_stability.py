"""`seedtrain quality stability`: protocols, studies, pulls, results and trends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE
from seedtrain.base import translate as _
from seedtrain.cli._acted import plain
from seedtrain.cli._common import Common
from seedtrain.cli._quality_shared import Tested, listed, signed, spoken_result
from seedtrain.cli._quality_words import study_lines, tested_line, trend_lines
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import StabilityResult, Trend
    from seedtrain.record import Ledger

app = App(name="stability", help="Stability studies by approved protocols, with shelf lives by ICH Q1E.")


@app.command
def submit(file: Path, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Put a stability protocol up for approval.

    Example: seedtrain quality stability submit protocol.yaml --as person-6

    Parameters
    ----------
    file
        YAML: protocol, version, product, storage, condition, months, window_days, tests.
    """
    from seedtrain.base import read_text
    from seedtrain.gmp import submit_protocol

    text = read_text(file, what="protocol")
    return signed(
        *(signer, record, common),
        lambda ledger, actor: submit_protocol(ledger, text, actor, file=str(file)),
        lambda found, _names: [_("protocol {name} is submitted").format(name=found.protocol)],
    )


@app.command
def approve(protocol: str, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Approve a protocol: quality, and not its author.

    Example: seedtrain quality stability approve STAB-1 --as person-7

    Parameters
    ----------
    protocol
        Its name.
    """
    from seedtrain.gmp import approve_protocol

    return signed(
        *(signer, record, common),
        lambda ledger, actor: approve_protocol(ledger, protocol, actor),
        lambda found, _names: [_("protocol {name} is approved").format(name=found.protocol)],
    )


@app.command
def start(
    protocol: str,
    batch: str,
    *,
    on: Annotated[str, Parameter(help="The day on which storage begins, year-month-day.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put a batch into storage under a protocol; the study is called PROTOCOL/BATCH.

    Example: seedtrain quality stability start STAB-1 B-1 --on 2026-03-10 --as person-5

    Parameters
    ----------
    protocol
        The approved protocol.
    batch
        The batch or lot.
    """
    from seedtrain.gmp import start_study

    return signed(
        *(signer, record, common),
        lambda ledger, actor: start_study(ledger, protocol, batch, on, actor),
        lambda found, _names: study_lines(found),
    )


@app.command
def pull(
    study: str, month: int, sample: str, *, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Take the sample of a time point out of storage.

    Example: seedtrain quality stability pull STAB-1/B-1 3 ST-3 --as person-5

    Parameters
    ----------
    study
        PROTOCOL/BATCH.
    month
        The time point.
    sample
        The sample's name.
    """
    from seedtrain.gmp import pull_sample

    return signed(
        *(signer, record, common),
        lambda ledger, actor: pull_sample(ledger, study, month, sample, actor),
        lambda found, _names: study_lines(found),
    )


@app.command
def result(
    study: str,
    sample: str,
    attribute: str,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    tested: Tested | None = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a result of a pulled sample.

    Example: seedtrain quality stability result STAB-1/B-1 ST-3 purity "98.6 %" --as person-5

    Parameters
    ----------
    study
        PROTOCOL/BATCH.
    sample
        The pulled sample.
    attribute
        What was tested.
    value
        A number with its unit, or a word.
    """
    from seedtrain.gmp import find_study, record_stability

    def act(ledger: Ledger, actor: str) -> StabilityResult:
        line = find_study(ledger, study).protocol.test(attribute).line
        found = spoken_result(line, attribute, value, sample, "")
        context = tested.context() if tested else None
        return record_stability(ledger, study, sample, found, actor, context=context)

    codes = {"conforms": EXIT_DONE, "oos": EXIT_FAIL}
    return signed(
        *(signer, record, common, act),
        lambda found, _names: [tested_line(found)],
        code=lambda found: codes.get(found.state, EXIT_INCONCLUSIVE),
    )


@app.command(name="list")
def list_(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every study with its time points: pulled, due, overdue.

    Example: seedtrain quality stability list --record record.db
    """
    from seedtrain.gmp import all_studies, today

    return listed(
        *(record, common),
        lambda ledger: (all_studies(ledger), today(ledger)),
        lambda found, _names: (line for item in found[0] for line in study_lines(item, found[1])),
        data=lambda found: [plain(item) | {"overdue": list(item.overdue(found[1]))} for item in found[0]],
    )


@app.command
def trend(
    protocol: str,
    attribute: str,
    *,
    plot: Annotated[Path | None, Parameter(help="Write the trend as SVG.")] = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """The trend of an attribute over all studies of a protocol, and the shelf life that the data support (ICH Q1E).

    Exit code 1 where a result is out of specification or out of trend, 3 where there is too little to say.

    Example: seedtrain quality stability trend STAB-1 purity --plot trend.svg --record record.db

    Parameters
    ----------
    protocol
        The protocol.
    attribute
        The attribute.
    """
    from seedtrain.base import write_atomic
    from seedtrain.gmp import stability_trend, trend_plot

    def read(ledger: Ledger) -> Trend:
        found = stability_trend(ledger, protocol, attribute)
        if plot is not None:
            from seedtrain.report import draw

            write_atomic(plot, draw(trend_plot(found)).svg)
        return found

    def judged(found: Trend) -> int:
        if found.failing or found.strange:
            return EXIT_FAIL
        return EXIT_DONE if found.shelf_life else EXIT_INCONCLUSIVE

    return listed(record, common, read, lambda found, _names: trend_lines(found), code=judged)
