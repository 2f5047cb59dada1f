"""`seedtrain batch print|certificate|export|verify`: what leaves the house of a batch, and whether it is genuine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError, Position
from seedtrain.base import translate as _
from seedtrain.cli._arguments import BatchName
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import PasswordFd, RecordUrl, Secrets, TimeStampAuthority, authority_at, open_record

if TYPE_CHECKING:
    from seedtrain.record import Ledger
    from seedtrain.report import DocumentSigner


@Parameter(name="*")
@dataclass(frozen=True)
class Issuer:
    """With which key a PDF is signed: the ledger's server by default."""

    actor: Annotated[str | None, Parameter(name="--as", help="Sign with this person's own key, such as person-1.")] = (
        None
    )
    p12: Annotated[Path | None, Parameter(help="Sign with this PKCS#12 file; its passphrase is asked for.")] = None
    unsigned: Annotated[bool, Parameter(negative="", help="Do not sign the PDF.")] = False
    password_fd: PasswordFd = None
    tsa: TimeStampAuthority = None


def add_to(batch: App) -> None:
    """Make these commands of `seedtrain batch`."""
    batch.command(print_record, name="print")
    for command in (certificate, export, verify):
        batch.command(command)


def print_record(
    batch: BatchName,
    out: Path,
    *,
    full: bool = False,
    record: RecordUrl = None,
    issuer: Issuer | None = None,
    common: Common | None = None,
) -> int:
    """Print the whole record of a batch as signed PDF/A, its events attached.

    Example: seedtrain batch print B-1 B-1.pdf --record record.db --lang zh

    Parameters
    ----------
    out
        The PDF to write.
    full
        Print device readings within their limits one by one too.
    """
    from seedtrain.gmp import batch_pdf

    def make(ledger: Ledger, signer: DocumentSigner | None) -> bytes:
        return batch_pdf(ledger, batch, signer=signer, full=full)

    return _issue(out, record, issuer or Issuer(), common or Common(), make)


def certificate(
    batch: BatchName,
    out: Path,
    *,
    data: Path | None = None,
    record: RecordUrl = None,
    issuer: Issuer | None = None,
    common: Common | None = None,
) -> int:
    """Write the certificate of analysis of a batch as signed PDF/A; one that is not released says so on every page.

    Example: seedtrain batch certificate B-1 coa.pdf --data coa.json --record record.db

    Parameters
    ----------
    out
        The PDF to write.
    data
        Write the same as JSON here.
    """
    from seedtrain.base import write_json
    from seedtrain.gmp import certificate_json, certificate_pdf

    def make(ledger: Ledger, signer: DocumentSigner | None) -> bytes:
        pdf = certificate_pdf(ledger, batch, signer=signer)
        if data is not None:
            write_json(data, certificate_json(ledger, batch))
        return pdf

    return _issue(out, record, issuer or Issuer(), common or Common(), make)


def export(
    batch: BatchName,
    folder: Path,
    *,
    segments: Path | None = None,
    whole: bool = False,
    record: RecordUrl = None,
    issuer: Issuer | None = None,
    common: Common | None = None,
) -> int:
    """Hand a batch over to a stranger: its documents and events, with proofs, and the one file that checks them.

    Example: seedtrain batch export B-1 handover/ --record record.db

    Parameters
    ----------
    folder
        A new or empty folder.
    segments
        The folder of telemetry files; segments/ beside the ledger if not given.
    whole
        Hand over the whole ledger too, other batches included.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import export_batch

    options = common or Common()
    given = issuer or Issuer()
    with _opened(record, given) as ledger, use_language(options.lang):
        signer = _signer(ledger, given)
        everything = record if whole else None
        made = export_batch(ledger, batch, folder, signer=signer, segments=segments, whole=everything)
        key = ledger.keys.server_public
    command = f"python3 {folder}/verify.py {folder} --key {key.hex() if key else 'HEX'}"
    if options.json:
        rows = {"folder": str(folder), "files": list(made.files), "events": made.events}
        print_json({**rows, "left_out": list(made.left_out), "verify": command})
        return EXIT_DONE
    with use_language(options.lang):
        print(_("{folder}: exported; check it with: {command}").format(folder=folder, command=command))
        for line in made.left_out:
            print("  " + _("not in it: {what}").format(what=line))
    return EXIT_DONE


def verify(
    file: Path,
    *,
    key: str | None = None,
    ca: Annotated[
        Path | None, Parameter(env_var="SEEDTRAIN_TSA_CA", help="Certificates (PEM) of time stamp authorities.")
    ] = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Check the signature of a printed record or certificate: one changed byte shows.

    Example: seedtrain batch verify B-1.pdf --record record.db

    Parameters
    ----------
    file
        The PDF.
    key
        The public key of the ledger (64 hexadecimal digits), where the ledger itself is not at hand.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import recorded_words, server_key_of, verify_document
    from seedtrain.quality import verdict_words

    options = common or Common()
    server, authorities = server_key_of(key) if key else None, _read(ca) if ca else b""
    if record and (server is None or not authorities):
        with open_record(record, read_only=True) as ledger:
            server = server or ledger.keys.server_public
            authorities = authorities or ledger.keys.authorities
    verdict = verify_document(_read(file), server, authorities)
    if options.json:
        print_json(verdict.to_data())
        return verdict.exit_code
    with use_language(options.lang):
        print(f"{file}: {verdict_words(verdict.verdict)}")
        for item in verdict.criteria:
            limit = recorded_words(item.limit or "")
            print(f"  {verdict_words(item.verdict):<12} {recorded_words(item.name)}: {item.value or '-'}, {limit}")
        for line in verdict.evidence:
            print(f"  {recorded_words(line)}")
    return verdict.exit_code


def _issue(
    out: Path,
    record: str | None,
    issuer: Issuer,
    options: Common,
    make: Callable[[Ledger, DocumentSigner | None], bytes],
) -> int:
    from seedtrain.base import digest_bytes, use_language, write_atomic

    with _opened(record, issuer) as ledger, use_language(options.lang):
        signer = _signer(ledger, issuer)
        pdf = make(ledger, signer)
        write_atomic(out, pdf)
        signed = signer.certificate.subject.rfc4514_string() if signer else None
        if options.json:
            print_json({"file": str(out), "sha256": digest_bytes(pdf), "bytes": len(pdf), "signed_by": signed})
        else:
            by = _("signed by {who}").format(who=signed) if signed else _("not signed")
            print(_("{file}: written, {by}").format(file=out, by=by))
    return EXIT_DONE


@contextmanager
def _opened(record: str | None, issuer: Issuer) -> Iterator[Ledger]:
    """For reading; for writing only where a password is tried, since a wrong one is recorded."""
    if sum((issuer.actor is not None, issuer.p12 is not None, issuer.unsigned)) > 1:
        raise InputError("--as, --p12 and --unsigned exclude each other", remedy="Give one of them, or none.")
    with open_record(record, read_only=issuer.actor is None) as ledger:
        yield ledger


def _signer(ledger: Ledger, issuer: Issuer) -> DocumentSigner | None:
    """The key that signs, with the time stamp authority where one is configured."""
    found = _key(ledger, issuer)
    return found if found is None else replace(found, authority=authority_at(issuer.tsa))


def _key(ledger: Ledger, issuer: Issuer) -> DocumentSigner | None:
    from seedtrain.gmp import document_signer, person_signer

    if issuer.unsigned:
        return None
    if issuer.p12 is not None:
        from seedtrain.report import read_pkcs12

        content = _read(issuer.p12)
        phrase = Secrets(issuer.password_fd).ask(_("Passphrase of {file}:").format(file=issuer.p12))
        return read_pkcs12(content, phrase, str(issuer.p12))
    if issuer.actor is None:
        return document_signer(ledger)
    from seedtrain.record import access, unlock

    secrets = Secrets(issuer.password_fd)
    password = secrets.ask(_("Password of {person}:").format(person=issuer.actor))
    with_code = access(ledger, issuer.actor).credentials == "password+totp"
    code = secrets.ask(_("One-time code:")) if with_code else None
    return person_signer(ledger, unlock(ledger, issuer.actor, password, code=code))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"this file cannot be read: {error.strerror}", position=Position(str(path)), remedy="Check the path."
        ) from error
