"""Time stamps by RFC 3161: an authority outside signs that the newest checkpoint existed at a moment."""

from __future__ import annotations

import hashlib
import http.client
import secrets
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError
from seedtrain.record._anchors import AnchorFile
from seedtrain.record._ledger import open_ledger
from seedtrain.record._stores import anchor_path
from seedtrain.record._verifier import StampError, elements, parse_checkpoint, read_stamp
from seedtrain.record._verify import trusted_certificates

TIMEOUT_S: Final = 30.0
LARGEST_ANSWER_BYTES: Final = 1024 * 1024
_VERSION: Final = bytes.fromhex("020101")
_SHA256: Final = bytes.fromhex("300d06096086480165030402010500")
_WITH_CERTIFICATE: Final = bytes.fromhex("0101ff")


@dataclass(frozen=True)
class Stamp:
    """What an authority says: that the checkpoint of `size` events existed at `time` (ISO 8601).

    - `trusted`: whether a certificate that was given vouches for the authority.
    """

    size: int
    time: str
    authority: str
    trusted: bool


def stamp(url: str | Path, tsa: str, certificates: Path | None = None, *, timeout_s: float = TIMEOUT_S) -> Stamp:
    """Have the newest checkpoint time-stamped by the authority at `tsa` (http or https), and anchor the token.

    - `certificates`: certificates (PEM) that vouch for the authority; they are kept for later verifications.

    The token is checked before it is kept. Raises `UnavailableError` (the authority does not answer or refuses),
    `IntegrityError` (its answer does not hold), `InputError` (no such ledger or certificate, not an http address).
    """
    _must_be_http(tsa)
    given = b"" if certificates is None else trusted_certificates(certificates)
    with open_ledger(url, create=False, read_only=True) as ledger:
        note, path = ledger.note, ledger.path
        keys = ledger.keys
    token = _token(tsa, note.encode("utf-8"), timeout_s)
    try:
        time, name, trusted = read_stamp(token, note.encode("utf-8"), given or keys.authorities)
    except StampError as error:
        raise _unsound(tsa, str(error)) from error
    if certificates is not None and not trusted:
        raise InputError(
            f"none of these certificates vouches for {name}",
            position=Position(str(certificates)),
            remedy="Give the certificate of the authority, or of who certifies it.",
        )
    parsed = parse_checkpoint(note.partition("\n\n")[0] + "\n")
    assert parsed is not None
    if given:
        keys.trust(given)
    with closing(AnchorFile(anchor_path(path))) as anchors:
        anchors.append_stamp(note, token)
    return Stamp(parsed[1], time, name, trusted)


def ask_authority(tsa: str, request: bytes, *, timeout_s: float = TIMEOUT_S) -> bytes:
    """The answer (DER) of the authority at `tsa` to a request (DER) as RFC 3161 writes them; nothing is checked here.

    Raises `UnavailableError` where it does not answer, `InputError` for what is not an http address.
    """
    _must_be_http(tsa)
    return _post(tsa, request, timeout_s)


def _must_be_http(tsa: str) -> None:
    if urlsplit(tsa).scheme not in ("http", "https") or not urlsplit(tsa).hostname:
        raise InputError(f"{tsa!r} is not the address of an authority", remedy="Give one that begins with https://.")


def _token(tsa: str, message: bytes, timeout_s: float) -> bytes:
    """The token that the authority gives for `message`, in answer to this very request (RFC 3161, section 2.4)."""
    nonce = secrets.randbits(63) | 1 << 62
    number = _element(0x02, nonce.to_bytes(8, "big"))
    imprint = _element(0x30, _SHA256 + _element(0x04, hashlib.sha256(message).digest()))
    raw = _post(tsa, _element(0x30, _VERSION + imprint + number + _WITH_CERTIFICATE), timeout_s)
    try:
        status, *token = elements(elements(raw)[0][1])
        code, *words = elements(status[1])
        granted = int.from_bytes(code[1], "big") in (0, 1)
        if not granted:
            said = [
                part[1].decode("utf-8", "replace") for item in words if item[0] == 0x30 for part in elements(item[1])
            ]
            raise UnavailableError(
                f"{tsa} refuses the time stamp: {'; '.join(said) or 'without a reason'}",
                remedy="Ask the authority, or another one.",
            )
        if number not in token[0][2]:
            raise _unsound(tsa, "it answers another request")
    except (StampError, IndexError, ValueError) as error:
        raise _unsound(tsa, "it is no answer of a time stamp authority") from error
    return token[0][2]


def _element(tag: int, content: bytes) -> bytes:
    assert len(content) < 0x80
    return bytes((tag, len(content))) + content


def _post(tsa: str, body: bytes, timeout_s: float) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    try:
        request = Request(tsa, data=body, headers=headers, method="POST")  # noqa: S310  # http or https, checked above
        with build_opener(_NoRedirect).open(request, timeout=timeout_s) as answer:
            raw: bytes = answer.read(LARGEST_ANSWER_BYTES + 1)
    except HTTPError as error:
        error.close()
        raise UnavailableError(f"{tsa} answers {error.code} {error.reason}", remedy="Check the address.") from error
    except (URLError, OSError, http.client.HTTPException, ValueError) as error:
        words = getattr(error, "reason", None) or error
        remedy = "Check the address and the network, and try again: the checkpoint is anchored without it."
        raise UnavailableError(f"{tsa} does not answer within {timeout_s:g} s: {words}", remedy=remedy) from error
    if len(raw) > LARGEST_ANSWER_BYTES:
        raise _unsound(tsa, f"it has more than {LARGEST_ANSWER_BYTES} bytes")
    return raw


class _NoRedirect(HTTPRedirectHandler):
    """An authority answers itself; nobody is sent elsewhere unseen."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _unsound(tsa: str, words: str) -> IntegrityError:
    return IntegrityError(f"the answer of {tsa} does not hold: {words}", remedy="Nothing was kept. Ask another one.")
