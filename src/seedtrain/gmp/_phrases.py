"""What the programs write into the record, in the language in use.

The record has one language, English: what is signed and digested must not depend on who looks at it. The sentences
that programs write there follow few patterns; here each is known, so that a screen and a print can say it in Chinese.
What a person wrote stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from seedtrain.base import language, translate

PATTERNS: Final = (
    # exceptions of a review
    "{type} by {actor}, who had no role for it",
    "{tag} of {phase}: {value} outside {limits} ({level})",
    "{phase}: {words} (not lifted)",
    "{phase}: {words} (lifted under a deviation)",
    "alarm {name} was {state} by {actor} until {day} ({reason})",
    "alarm {name} was {state} by {actor}, without an end ({reason})",
    "alarm {name}: raised {number} times from {start} to {end}",
    "alarm {name}: raised {start}",
    "alarm {name}: interlock",
    "{count} of {number} never acknowledged",
    "{count} of {number} acknowledged by {name} without a signature",
    "not returned to normal",
    "no data of {tag} from {start} to {end} ({seconds} s), {cause}, filled in later from history",
    "no data of {tag} from {start} to {end} ({seconds} s), {cause}, not filled in",
    "no data of {tag} since {start}, {cause}",
    "no data of {tag} from {start} to {end} h",
    "{lot} was held ({words})",
    "{lot} was freed from a hold ({words})",
    "{type}, which this review does not know",
    "{what}: recorded {minutes} min after it occurred",
    "{what}: dated {minutes} min ahead",
    "{name} (open, {state}): {what} was out",
    "{name} ({state}): {what} was out",
    "retest {number} of {name}: {value}, {state}",
    "lot {lot} became {status} after it was used ({reason})",
    "lot {lot} was stated anew after it was used ({reason})",
    "{words} outside {limits}, at {start} h of {phase}",
    "{words} outside {limits}, from {start} to {end} h of {phase}",
    "amount of {material} ({lot}) {value}",
    "amount of {material} ({lot})",
    "what was recorded as its limits",
    "{tag} of {phase}: {value} entered by hand, limits {limits}",
    "{tag} of {phase}: recorded as within limits, but {value} is not within {limits}",
    "amount of {material} ({lot}): {old} became {new} ({reason})",
    "{tag} of {phase}: {old} became {new} ({reason})",
    "{tag}: {old} became {new} ({reason}), which is out of specification",
    "{tag}: {old} became {new} ({reason}), which was out of specification: its investigation decides",
    "{tag}: {old} became {new} ({reason})",
    "{phase} was completed by {actor}, who had not acted in it ({reason})",
    "{phase} was completed by {actor}, who had not acted in it, without a reason",
    "{phase}: {actor} has not signed for it, or not since a correction",
    "{tag} of {phase} set by hand to {value}, recipe {wish} ({reason})",
    "{command} of {place}, {before} to {after} ({reason})",
    "{command} of {place}, {before} to {after}",
    "the batch",
    "the recipe's text is not in the record: what is missing cannot be said",
    "{path} lacks the check of a second person who signed and did not act in it",
    "the hold point of {path}: {text}",
    "{path} was not run",
    "{path} was not completed",
    "{tag} of {path} has limits and no value",
    "the telemetry of {phase} spans {covered} h of {wanted} h",
    "{phase} is no phase of the recipe",
    "{phase} was run out of order",
    "{name} (closed): {words}",
    "{name} (open): {words}",
    "no deviation was opened for {words}",
    "{what} is out of specification (limit {limit})",
    "{what} is invalid (limit {limit})",
    "{amount} of {lot} for {phase}, tolerated {low} .. {high}",
    "the batch is {state}, not complete",
    "the clock stood {seconds} s behind the ledger",
    # why a lot may not be used, and why it is on hold
    "{rule}: {hold} on {lot}: {words}",
    "lot {lot} ({material}) expired on {day}",
    "lot {lot} ({material}) is to be tested again since {day}",
    "lot {lot} ({material}) is {status} now",
    "lot {lot} ({material}) is {status}",
    "lot {lot} is on hold ({hold}) through {other}: {words}",
    "lot {lot} is on hold ({hold}): {words}",
    "lot {lot} of batch {batch} is not released",
    "lot {lot} is {status}: {reason}",
    "{attribute} of lot {lot} is {value}, the limit is {limit}",
    "{attribute} of the bank {bank} is {value}, the limit is {limit}",
    "the vial stood in a freezer during the excursion {name}",
    "critical point {point} failed: {basis}",
    "test for {target}: {summary}",
    "certificate {certificate} was revoked: {reason}",
    # what stands against a release
    "there is no specification to release against",
    "the recipe was never approved",
    "the batch names another master recipe than the approval",
    "{path} is not completed",
    "the recipe's text is not in the record: which phases there are cannot be said",
    "{path} lacks the check of a second person",
    "{path} lacks the signature of who performed it",
    "the hold point of {path} is not signed",
    "{name} is not closed with impact, cause and action, signed by another person (lacks {lacks})",
    "{name} is not closed with impact, cause and action, signed by another person",
    "{name} disposes of the product: {grade}",
    "{capa} of {name} has no approved plan",
    "{name} ({attribute}) is not concluded",
    "event {seq}: {tag} of {phase} is recorded as within limits and is not",
    "event {seq}: {words}",
    "the review is missing, or its reviewer ran the batch",
    "the review is older than the last event of the batch, or its reviewer ran the batch",
    "the review does not cover: {words}",
    "{what} is out of specification ({limit})",
    "{attribute} has no valid result that decides ({limit})",
    "held: {words} (hold {hold}, from {root})",
    # what a deviation or an investigation lacks
    "a classification",
    "an investigation",
    "the disposition of the product",
    "a CAPA, or the reason why there is none",
    "the laboratory assessment is missing",
    # what stops a phase
    "the phase needs a {kind}",
    "{name} is not registered as equipment",
    "the line {line} is not cleared for {batch}",
    "the line {line} was used for {other} after it was cleared",
    "{phase} is out of order: the batch is at its end",
    "{phase} is out of order: {path} comes next",
    "{path} belongs on {place}, not on {unit}",
    "{path} was not checked by a second person",
    "{path} lacks a signature that is still good",
    "the hold point of {path} is not signed: {text}",
    "{actor} is not trained in {course}, or the training has lapsed",
    "batch {batch} is {decision}",
    "the vial {lot} is on hold: {why}",
    "lot {lot} is of the patient {whose}; batch {batch} is bound to no patient",
    "lot {lot} is of the patient {whose}; batch {batch} is made for {token}",
    # meanings of signatures
    "authorship",
    "approval",
    "start of batch {batch}",
    "performed: {phase}",
    "checked: {phase}",
    "completed, performed by others: {phase}",
    "hold point: {text}",
    "review of the batch record",
    "acknowledgement of an exception",
    "investigation of a deviation",
    "impact of a deviation",
    "classification of a deviation",
    "opening of a deviation",
    "closing of a deviation",
    "correction",
    "sample",
    "result",
    "lot used",
    "lot received",
    "lots received",
    "correction: {phase}",
    "line clearance: {line}",
    "hold of batch {batch}",
    "restart of batch {batch}",
    "pause of batch {batch}",
    "resume of batch {batch}",
    "stop of batch {batch}",
    "abort of batch {batch}",
    "end of batch {batch}",
    "hard stop lifted under {name}",
    "laboratory assessment",
    "invalidation of a result",
    "full-scale investigation",
    "plan of retests",
    "approval of a plan of retests",
    "conclusion of an investigation",
    "CAPA of a deviation",
    "opening of a CAPA",
    "action of a CAPA",
    "approval of a CAPA",
    "action done",
    "closing of a CAPA",
    "stability pull",
    "stability result",
    "start of a stability study",
    "release",
    "rejection",
    "hold",
    # chains of custody and banks
    "identifier does not match: {parts}",
    "temperature {value} is out of {limit} in {stage}",
    "the goods are {condition}",
    "{hours} h since collection, the limit is {limit} h",
    "hand-overs with both sides",
    "temperature and condition out of limits",
    "hours from collection to manufacture",
    "identifiers and hard stops",
    "stage reached",
    "events that cannot be",
    "{count} stops, {number} not cleared",
    "{count} of {number}",
    "every one",
    "none open",
    "none",
    "no limit was set",
    "{stage}: {actor} to {other}, {time}, {value}, {condition}, not received",
    "stop: {words} ({name})",
    "testing plan {name}, SHA-256 {digest}",
    "no testing plan",
    "end of production: {words}",
    "{attribute}: sample {sample}, {method}",
    # whether a document is genuine
    "signature",
    "document",
    "signer",
    "time stamp",
    "every byte that was signed is as it was",
    "nothing was added afterwards but signatures",
    "certified by the server key of the ledger",
    "by an authority that a certificate vouches for",
    "the document carries no signature",
    # evidence for the rules of a set
    "rule set {name}, SHA-256 {digest}",
    "{rule}: {source} (the clause was read)",
    "{rule}: {source} (read in a summary)",
    "{rule}: {source} (not checked against the text)",
    "{rule}: {lot}: no certificate on record; origin not declared",
    "{rule}: {lot}: no certificate on record",
    "{rule}: {lot}: certificate {certificate}",
    "{rule}: {lot}: {point} not checked; origin not declared",
    "{rule}: {lot}: {point} not checked",
    "{rule}: {lot}: no test for {target}",
    "{rule}: {path}, origin not declared",
    "{rule}: {lot}: never received, or without a supplier",
    # what is overdue
    "pull at {month} months",
    "deviation: {words}",
    "investigation of {attribute}",
    "corrective action {number}",
    "preventive action {number}",
    "effectiveness check",
)
"""The sentences, with what varies in braces; the first that fits is taken, so the narrower stand before the wider."""

PLACES: Final = ("{part} on {unit}", "the batch")
"""How the place of a command is written, within a sentence."""

WORDS: Final = (
    *("collection", "transport", "receipt", "manufacture", "return", "infusion"),
    *("intact", "damaged", "leaking", "seal broken", "thawed"),
    *("idle", "running", "pausing", "paused", "holding", "held", "restarting", "stopping", "stopped", "aborting"),
    *("aborted", "complete", "hold", "restart", "pause", "resume", "stop", "abort"),
    *("quarantined", "released", "rejected", "on hold", "raised", "acknowledged", "cleared", "shelved", "unshelved"),
    *("suppressed", "taken out of service"),
    *("laboratory", "full scale", "retest", "closed", "laboratory error", "confirmed", "not confirmed"),
    *("conforms", "oos", "invalid", "alert", "action", "proven", "specification", "use", "rework", "reject"),
)
"""The words that stand in a sentence for a state, a command or a level."""

_SENTENCES: Final = ("words", "limits", "lacks")
_STATES: Final = ("stage", "condition", "state", "status", "decision", "before", "after", "command", "grade", "level")
_NUMBERS: Final = ("count", "number", "seq", "minutes", "hours", "month", "seconds", "covered", "wanted")
_FORMS: Final[Mapping[str, str]] = {"hold": r"H-\w+", **dict.fromkeys(_NUMBERS, r"[\d.]+")}
_VOCABULARY: Final[Mapping[str, str]] = {
    "oos": "out of specification",
    "invalid": "invalid test",
    "on_hold": "on hold",
    "alert": "alert limit",
    "action": "action limit",
    "proven": "proven acceptable range",
    "specification": "specification limit",
    "retest": "retesting",
}


def recorded_words(text: str) -> str:
    """A sentence of the record in the language in use; as it stands where no program wrote it."""
    if language() == "en" or not text:
        return text
    found = _matched(text)
    if found is not None:
        return found
    for mark, joint in (("; ", "\uff1b"), (", ", "\u3001")):
        parts = text.split(mark)
        said = [_matched(part) for part in parts]
        if len(parts) > 1 and None not in said:
            return joint.join(str(part) for part in said)
    return text


def state_word(text: str) -> str:
    """A state, command, status or level of the record in the language in use; any other text as it is."""
    wanted = _VOCABULARY.get(text, text)
    return translate(wanted) if text in WORDS or text in _VOCABULARY else text


def _matched(text: str, patterns: tuple[str, ...] = PATTERNS) -> str | None:
    for pattern, form in _forms(patterns):
        found = form.fullmatch(text)
        if found is not None:
            parts = {name: _part(name, value) for name, value in found.groupdict().items()}
            return translate(pattern).format(**parts)
    return None


def _part(name: str, value: str) -> str:
    if name in _SENTENCES:
        return recorded_words(value)
    if name == "place":
        return _matched(value, PLACES) or value
    return state_word(value) if name in _STATES else value


@cache
def _forms(patterns: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((pattern, re.compile(_form(pattern), re.DOTALL)) for pattern in patterns)


def _form(pattern: str) -> str:
    parts = re.split(r"\{(\w+)\}", pattern)
    vocabulary = "|".join(sorted((re.escape(word) for word in (*WORDS, "on_hold")), key=len, reverse=True))
    form = ""
    for at, part in enumerate(parts):
        if at % 2 == 0:
            form += re.escape(part)
        else:
            held = vocabulary if part in _STATES else _FORMS.get(part, ".+?")
            form += f"(?P<{part}>{held})"
    return form
