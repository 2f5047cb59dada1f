"""`seedtrain qualify`: checks of the installation that it runs on, with a signed report."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress
from seedtrain.cli._signing import PasswordFd, RecordUrl, Signer, TimeStampAuthority, authority_at, open_record, signing

if TYPE_CHECKING:
    from seedtrain.gmp import QualificationReport

EXIT_OF = {"pass": EXIT_DONE, "fail": EXIT_FAIL, "inconclusive": EXIT_INCONCLUSIVE}


def qualify(
    *,
    out: Path = Path("qualification"),
    record: RecordUrl = None,
    actor: Annotated[str | None, Parameter(name="--as", help="Who runs it and signs in the ledger.")] = None,
    password_fd: PasswordFd = None,
    tsa: TimeStampAuthority = None,
    common: Common | None = None,
) -> int:
    """Check this installation and write a signed report that maps each check to the clauses it is about.

    Example: seedtrain qualify --out qualification --record record.db

    Parameters
    ----------
    out
        The folder for qualification.pdf and qualification.json, on the disk that is to be checked.
    """
    from seedtrain.base import InputError, use_language
    from seedtrain.gmp import qualify as run

    options = common or Common()
    if actor and not record:
        raise InputError("--as signs in a ledger, and none is named", remedy="Give --record FILE.")
    with ExitStack() as stack:
        stack.enter_context(use_language(options.lang))
        if actor:
            ledger = stack.enter_context(open_record(record))
            stack.enter_context(signing(ledger, Signer(actor, password_fd)))
        elif record:
            open_record(record, read_only=True).close()  # whether it can be opened is said before a minute has gone
        progress = stack.enter_context(shown_progress(as_json=options.json))
        report = run(out, record=record, actor=actor, authority=authority_at(tsa), progress=progress)
        _tell(report, as_json=options.json)
    return EXIT_OF[report.qualification.verdict]


def _tell(report: QualificationReport, *, as_json: bool) -> None:
    from seedtrain.quality import verdict_words

    if as_json:
        files = {"pdf": str(report.pdf), "json": str(report.json)}
        print_json({**report.data, "files": files, "event": report.event.seq if report.event else None})
        return
    found = report.qualification
    for item in found.results:
        print(f"  {verdict_words(item.verdict):<12} {item.id}  {report.shows(item.id)}")
        if item.verdict != "pass":
            print("".join(f"               {line}\n" for line in item.evidence), end="")
    words = _("{count} checks in {seconds} s: {verdict}; {pdf}")
    seconds, verdict = f"{found.seconds:.0f}", verdict_words(found.verdict)
    print(words.format(count=len(found.results), seconds=seconds, verdict=verdict, pdf=report.pdf))
    print(_("What stays with the user stands at the end of the report."))
