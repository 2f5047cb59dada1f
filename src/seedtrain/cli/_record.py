"""`seedtrain record`: check, show and export a ledger."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, open_record

app = App(name="record", help="Check, show and export the ledger.")
EXIT_OF = {"pass": EXIT_DONE, "fail": EXIT_FAIL, "inconclusive": EXIT_INCONCLUSIVE}


@app.command
def verify(file: str, *, anchors: Path | None = None, ca: Path | None = None, common: Common | None = None) -> int:
    """Check chain, Merkle roots, signatures and anchors of a ledger.

    Example: seedtrain record verify examples/collagen/out/record.db

    Parameters
    ----------
    file
        The ledger: a SQLite file, or the URL of a PostgreSQL one.
    anchors
        The file of anchored checkpoints; by default the one beside the ledger.
    ca
        Certificates (PEM) that vouch for time stamp authorities; by default those given when it was stamped.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.quality import verdict_words
    from seedtrain.record import verify as verify_ledger

    verdict = verify_ledger(file, anchors=anchors, authorities=ca)
    if options.json:
        print_json(verdict.to_data())
    else:
        with use_language(options.lang):
            print(f"{_without_password(file)}: {verdict_words(verdict.verdict)}")
            for criterion in verdict.criteria:
                print(f"  {verdict_words(criterion.verdict):<12} {criterion.name}: {criterion.value}")
            for line in verdict.evidence:
                print(f"  {line}")
    return EXIT_OF[verdict.verdict]


def _without_password(url: str) -> str:
    return re.sub(r"^(\w+://[^/@:]*):.*@", r"\1@", url)


@app.command
def show(
    file: str, *, subject: str | None = None, type: str | None = None, after: int = 0, common: Common | None = None
) -> int:
    """Print the events of a ledger in their order.

    Example: seedtrain record show record.db --type deviation.opened

    Parameters
    ----------
    file
        The ledger: a SQLite file, or the URL of a PostgreSQL one.
    subject
        Only events of this batch, lot or person.
    type
        Only events of this type.
    after
        Only events with a larger number.
    """
    options = common or Common()
    from seedtrain.record import open_ledger

    with open_ledger(file, create=False) as ledger:
        rows = [event.to_data() for event in ledger.events(subject=subject, type=type, after=after)]
    if options.json:
        print_json(rows)
        return EXIT_DONE
    for row in rows:
        mark = " simulated" if row["payload"].get("origin") == "simulated" else ""
        payload = json.dumps(row["payload"], ensure_ascii=False)
        print(f"{row['seq']:>6} {row['occurred_at']} {row['type']:<22} {row['subject']}{mark} {payload}")
    return EXIT_DONE


@app.command
def backup(file: str, folder: Path, *, common: Common | None = None) -> int:
    """Copy a ledger that may be in use, with its anchors, and verify the copy; keys are backed up apart from it.

    Example: seedtrain record backup record.db /backups/2026-03-01

    Parameters
    ----------
    file
        The ledger: a SQLite file.
    folder
        A new or empty folder.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.quality import verdict_words
    from seedtrain.record import backup as copy_ledger

    verdict = copy_ledger(file, folder)
    if options.json:
        print_json(verdict.to_data())
    else:
        with use_language(options.lang):
            print(f"{folder}: {verdict_words(verdict.verdict)}")
    return EXIT_OF[verdict.verdict]


@app.command
def stamp(
    *,
    record: RecordUrl = None,
    tsa: Annotated[str | None, Parameter(env_var="SEEDTRAIN_TSA", help="Address of the authority (RFC 3161).")] = None,
    ca: Annotated[
        Path | None, Parameter(env_var="SEEDTRAIN_TSA_CA", help="Certificates (PEM) that vouch for it.")
    ] = None,
    timeout: Annotated[float, Parameter(help="Seconds to wait for the answer.")] = 30.0,
    common: Common | None = None,
) -> int:
    """Have a time stamp authority sign that the ledger stood as it stands; kept among the anchors, verified with them.

    Example: seedtrain record stamp --record record.db --tsa https://tsa.example/tsr --ca tsa.pem
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.record import stamp as have_stamped

    if not record or not tsa:
        missing = "--record (or SEEDTRAIN_RECORD)" if not record else "--tsa (or SEEDTRAIN_TSA)"
        raise InputError(f"{missing} is not given", remedy="See: seedtrain record stamp --help")
    made = have_stamped(record, tsa, ca, timeout_s=timeout)
    if options.json:
        print_json(vars(made))
    else:
        with use_language(options.lang):
            words = _("{size} events existed at {time}, says {authority}")
            print(words.format(size=made.size, time=made.time, authority=made.authority))
            if not made.trusted:
                print(_("No certificate vouches for it: verification stays inconclusive without --ca."))
    return EXIT_DONE


@app.command
def rebuild(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Throw the read models away and make them again from the ledger; exit code 1 where one was not what it says.

    Example: seedtrain record rebuild --record record.db
    """
    options = common or Common()
    import seedtrain.gmp  # noqa: F401  # registers its read models
    from seedtrain.base import use_language
    from seedtrain.record import rebuild as make_again

    with open_record(record, read_only=True) as ledger:
        made = make_again(ledger)
    if options.json:
        print_json([{**vars(item), "identical": item.identical} for item in made])
    else:
        with use_language(options.lang):
            for item in made:
                words = _("as before") if item.identical else _("it was not what the ledger says")
                print(_("{name}: {count} events").format(name=item.name, count=item.events), words, sep="; ")
                print(f"  {item.before or '-'} -> {item.after}")
    return EXIT_DONE if all(item.identical for item in made) else EXIT_FAIL


@app.command
def export(file: str, folder: Path, *, common: Common | None = None) -> int:
    """Write events, checkpoints, public keys and a standalone verifier to a folder for a third party.

    Example: seedtrain record export record.db handover/

    Parameters
    ----------
    file
        The ledger: a SQLite file, or the URL of a PostgreSQL one.
    folder
        A new or empty folder.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.record import export as export_ledger

    export_ledger(file, folder)
    command = f"python3 {folder}/verify.py {folder}"
    if options.json:
        print_json({"folder": str(folder), "files": sorted(path.name for path in folder.iterdir())})
    else:
        with use_language(options.lang):
            print(_("{folder}: exported; check it with: {command}").format(folder=folder, command=command))
    return EXIT_DONE
