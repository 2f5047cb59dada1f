"""`seedtrain batch review`, `acknowledge`, `release`, `reject` and `block`: the quality unit's part of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cyclopts import App

from seedtrain.base import EXIT_DONE, EXIT_FAIL
from seedtrain.base import translate as _
from seedtrain.cli._acted import plain, shown
from seedtrain.cli._arguments import BatchName
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._quality_shared import signed
from seedtrain.cli._quality_words import person_words
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.gmp import OpenReview


def add_to(app: App) -> None:
    """Put the commands among those of `seedtrain batch`."""
    app.command(review)
    app.command(acknowledge)
    app.command(sign_review, name="sign-review")
    app.command(release)
    app.command(reject)
    app.command(block)


def review(batch: BatchName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Open a batch for review: its exceptions first, what kept its limits in numbers. Writes nothing.

    Exit code 0 where a signed review covers the batch as it is, 3 where it does not yet.

    Example: seedtrain batch review B-1 --record record.db
    """
    from seedtrain.base import EXIT_INCONCLUSIVE
    from seedtrain.gmp import open_review

    return shown(
        *(record, common),
        lambda ledger: open_review(ledger, batch),
        _lines,
        data=_data,
        code=lambda found: EXIT_DONE if found.standing else EXIT_INCONCLUSIVE,
    )


def _data(found: OpenReview) -> dict[str, Any]:
    rows = [{"key": item.key, **plain(item.item), "acknowledged": dict(item.acknowledged)} for item in found.exceptions]
    standing = plain(found.standing) if found.standing else None
    return {"batch": found.batch, "exceptions": rows, "within_limits": plain(found.within), "review": standing}


def _lines(found: OpenReview) -> Iterator[str]:
    from seedtrain.gmp import item_words, kind_words

    for item in found.exceptions:
        mark = "x" if item.acknowledged else " "
        yield f"[{mark}] {item.key}  {kind_words(item.item.kind)}: {item_words(item.item)}"
        for person, comment in item.acknowledged.items():
            yield f"               {person}: {comment}"
    count = found.within
    summary = _("{values} values, {materials} materials and {results} results kept their limits")
    yield summary.format(values=count.values, materials=count.materials, results=count.results)
    if count.alarms:
        yield _("{count} alarms of lower priority were acknowledged").format(count=count.alarms)
    if found.standing:
        yield _("reviewed and signed by {person}").format(person=found.standing.actor)
    else:
        yield _("no signed review covers the batch as it is")


def acknowledge(
    batch: BatchName,
    *keys: str,
    comment: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Acknowledge exceptions of a batch, each by its key, with a comment.

    Example: seedtrain batch acknowledge B-1 3f2a91c4 --comment "6 min; no effect, report 12" --as person-6

    Parameters
    ----------
    keys
        The keys that `seedtrain batch review` shows.
    comment
        What was looked at, and why it is acceptable.
    """
    from seedtrain.gmp import acknowledge as act

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: [event.payload["item"] for event in act(ledger, batch, keys, comment, actor)],
        lambda said, _names: [_("acknowledged: {keys}").format(keys=", ".join(said))],
    )


def sign_review(batch: BatchName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Sign the review of a batch, once every exception is acknowledged by the one who signs.

    Example: seedtrain batch sign-review B-1 --as person-6
    """
    from seedtrain.gmp import review as act

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: act(ledger, batch, actor),
        lambda said, names: [_("reviewed and signed by {person}").format(person=person_words(said.actor, names))],
    )


def release(batch: BatchName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Release a batch: an authorised person of the quality unit, and only if nothing stands against it.

    Where something does, nothing is written: exit code 1 for a result out of specification, 3 for what is missing.

    Example: seedtrain batch release B-1 --as person-7
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import recorded_words, release_batch
    from seedtrain.quality import Verdict

    options = common or Common()
    with use_language(options.lang), open_record(record) as ledger, signing(ledger, signer) as actor:
        found = release_batch(ledger, batch, actor)
    if isinstance(found, Verdict):
        if options.json:
            print_json({"batch": batch, "decision": None, "verdict": found.to_data()})
        else:
            with use_language(options.lang):
                print(_("batch {batch} is not released:").format(batch=batch))
                print(*(f"  {recorded_words(reason)}" for reason in found.evidence), sep="\n")
        return found.exit_code
    return _decided(batch, found, options)


def reject(
    batch: BatchName, *, reason: str, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Reject a batch, for good: an authorised person of the quality unit.

    Example: seedtrain batch reject B-1 --reason "endotoxin above its limit" --as person-7

    Parameters
    ----------
    reason
        Why.
    """
    return _stop(batch, "rejected", reason, signer, record, common or Common())


def block(
    batch: BatchName, *, reason: str, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Put the decision on a batch on hold, with a reason; a release later lifts it.

    Example: seedtrain batch block B-1 --reason "complaint 17 is being looked at" --as person-7

    Parameters
    ----------
    reason
        Why.
    """
    return _stop(batch, "on_hold", reason, signer, record, common or Common())


def _stop(batch: str, word: Any, reason: str, signer: Signer, record: str | None, options: Common) -> int:
    from seedtrain.base import use_language
    from seedtrain.gmp import stop_batch

    with use_language(options.lang), open_record(record) as ledger, signing(ledger, signer) as actor:
        found = stop_batch(ledger, batch, actor, word, reason)
    code = _decided(batch, found, options)
    return code if found.decision == word else EXIT_FAIL


def _decided(batch: str, found: Any, options: Common) -> int:
    from seedtrain.base import use_language
    from seedtrain.gmp import decision_words, recorded_words

    if options.json:
        print_json({"batch": batch, **plain(found)})
        return EXIT_DONE
    with use_language(options.lang):
        reasons = (recorded_words(reason) for reason in found.reasons)
        print(f"{batch}: {decision_words(found.decision)}, {found.actor}", *reasons, sep="\n  ")
    return EXIT_DONE
