"""Specifications and test methods as approved, versioned documents of the ledger.

Written by one person, approved by another of the quality unit (21 CFR 211.160(a)); a version that replaces another
names its approved change request (ICH Q10 3.2.3). The last approved version is the effective one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import InputError, digest, parse_document, validate
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._equipment_state import equipment_of
from seedtrain.gmp._master._change import change_request
from seedtrain.gmp._quality._case import counting, signed_pairs, step_draft, take_step
from seedtrain.gmp._quality._context import TestContext
from seedtrain.quality import Specification, SpecificationEntry
from seedtrain.record import Draft, Event, Ledger

Kind = Literal["specification", "method"]
_Text = Annotated[str, Field(min_length=1)]


class _SpecificationFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    specification: _Text
    version: _Text
    lines: Annotated[list[SpecificationEntry], Field(min_length=1)]


class _MethodFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    method: _Text
    version: _Text
    title: _Text
    procedure: _Text
    suitability: _Text
    instrument: str = ""


_FILES: Final[dict[str, type[BaseModel]]] = {"specification": _SpecificationFile, "method": _MethodFile}


@dataclass(frozen=True)
class Standard:
    """One version of a specification or method. `approver` is empty while it is a draft; `text`: the file as it was."""

    kind: str
    name: str
    version: str
    text: str
    digest: str
    author: str
    seq: int
    approver: str = ""
    change: str = ""
    approved_at: str = ""

    @property
    def specification(self) -> Specification:
        """What it specifies; raises `InputError` for a method."""
        if self.kind != "specification":
            raise InputError(f"{self.name} is a {self.kind}", remedy="Name a specification.")
        read = validate(parse_document(self.text, self.name), _SpecificationFile)
        return Specification(tuple(line.line() for line in read.lines))


def standards(events: Iterable[Event]) -> tuple[Standard, ...]:
    """The versions of one document, folded from its events in order; a step counts if its actor signed it, and an
    approval if it is another person's, over the text that was submitted."""
    kept = list(events)
    signed = signed_pairs(kept)
    found: dict[str, Standard] = {}
    for event in kept:
        payload = event.payload
        if (event.digest, event.actor) not in signed:
            continue
        if event.type == "document.submitted":
            version, text = str(payload["version"]), str(payload["text"])
            if version not in found and digest(text) == payload["digest"]:
                kind, _, name = event.subject.partition(":")
                standard = Standard(kind, name, version, text, digest(text), event.actor, event.seq)
                found[version] = standard
        elif event.type == "document.approved":
            item = found.get(str(payload["version"]))
            if item is None or item.approver or item.author == event.actor or payload["digest"] != item.digest:
                continue
            found.pop(item.version)  # the last approved stands last
            found[item.version] = replace(
                item, approver=event.actor, change=str(payload["change"]), approved_at=event.occurred_at
            )
    return tuple(found.values())


def standards_of(ledger: Ledger, kind: str, name: str) -> tuple[Standard, ...]:
    """Every version of a specification or method, the last approved one last among the approved."""
    return standards(counting(ledger, ledger.events(subject=f"{kind}:{name}")))


def effective(ledger: Ledger, kind: str, name: str) -> Standard | None:
    """The version in force; None where none was approved."""
    approved = [item for item in standards_of(ledger, kind, name) if item.approver]
    return approved[-1] if approved else None


def all_standards(ledger: Ledger) -> tuple[Standard, ...]:
    """Every version of every specification and method."""
    subjects = dict.fromkeys(item.subject for item in ledger.events(type="document.submitted"))
    return tuple(item for subject in subjects for item in standards(counting(ledger, ledger.events(subject=subject))))


def submit_standard(
    ledger: Ledger, kind: Kind, text: str, actor: str, *, file: str = "", at: datetime | None = None
) -> Standard:
    """Put a version up for approval, signed by its author; every fault of the file is told at once.

    - `text`: YAML. `file`: how errors name it.
    """
    authorise(ledger, actor, "quality.investigate")
    read = validate(parse_document(text, file or kind), _FILES[kind])
    name = str(getattr(read, kind))
    version = str(getattr(read, "version", ""))
    subject = f"{kind}:{name}"
    if len(subject) > 128 or not subject.isprintable():
        raise InputError(f"{name!r} is no name of a {kind}", remedy="Use 100 printable characters at most.")

    def step(events: tuple[Event, ...]) -> Draft | Event:
        for item in events:
            if item.type == "document.submitted" and item.payload["version"] == version:
                if item.payload["text"] == text and item.actor == actor:
                    return item
                raise InputError(f"{kind} {name} has a version {version} already", remedy="Give it a new version.")
        payload = {"kind": kind, "name": name, "version": version, "text": text, "digest": digest(text)}
        identity = digest(["document.submitted", subject, version])[:32]
        return Draft("document.submitted", subject, payload, actor, at, id=identity)

    take_step(ledger, subject, "authorship", step)
    return _version(ledger, kind, name, version)


def approve_standard(
    ledger: Ledger, kind: Kind, name: str, version: str, actor: str, *, change: str = "", at: datetime | None = None
) -> Standard:
    """Quality approves a version, signed; another person than its author. It is effective from then on.

    - `change`: the approved change request, where it replaces an effective version.
    """
    authorise(ledger, actor, "quality.approve")
    item = _version(ledger, kind, name, version)
    another_person(ledger, actor, [item.author], f"the approval of {kind} {name} {version}")
    before = effective(ledger, kind, name)
    if before is not None and before.version != version and not item.approver:
        if not change:
            raise InputError(
                f"{kind} {name} {version} replaces version {before.version} and names no change request",
                remedy="Have a change approved (seedtrain change open), then give --change.",
            )
        found = change_request(ledger, change)
        if (found.kind, found.about) != (kind, name) or found.state not in ("approved", "implemented"):
            raise InputError(
                f"{change} is about the {found.kind} {found.about} and is {found.state}",
                remedy=f"Give an approved change of the {kind} {name}.",
            )
    payload = {"digest": item.digest, "change": change}
    subject = f"{kind}:{name}"

    def step(events: tuple[Event, ...]) -> Draft | Event:
        return step_draft(events, "document.approved", subject, ("version", version), payload, actor, at=at)

    take_step(ledger, subject, "approval", step)
    return _version(ledger, kind, name, version)


def _version(ledger: Ledger, kind: str, name: str, version: str) -> Standard:
    found = standards_of(ledger, kind, name)
    for item in found:
        if item.version == version:
            return item
    known = ", ".join(item.version for item in found) or "none"
    raise InputError(f"{kind} {name} has no version {version!r}", remedy=f"It has: {known}.")


def checked_context(
    ledger: Ledger, method: str, context: TestContext | None, at: datetime | None
) -> TestContext | None:
    """A test's context, held against what the ledger knows of the method and the instrument.

    The effective version is filled in. Raises `InputError` for another version, for a test without a statement on
    system suitability where the method asks for it, and for an instrument that is out of service or of calibration.
    """
    found = effective(ledger, "method", method)
    if found is not None:
        given = context or TestContext()
        if given.method_version not in ("", found.version):
            raise InputError(
                f"{method} version {given.method_version} is not the effective one: that is {found.version}",
                remedy="Test by the effective version.",
            )
        if not given.suitability:
            raise InputError(
                f"the test by {method} says nothing of its system suitability",
                remedy="State what was found; where it failed, say so, and the result is invalid.",
            )
        context = replace(given, method_version=found.version)
    if context is not None and context.instrument:
        known = equipment_of(ledger, ledger.events(subject=context.instrument)).get(context.instrument)
        fault = known.fault(at or ledger.now) if known is not None else None
        if fault is not None:
            raise InputError(fault.reason, remedy=fault.remedy)
    return context
