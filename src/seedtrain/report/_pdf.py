"""A page as PDF through typst: tagged, archivable, the same bytes in every run."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from seedtrain.base import UnavailableError
from seedtrain.report._attach import Attachment
from seedtrain.report._fonts import chinese_family, covered, require_chinese_family, typst_fonts
from seedtrain.report._layout import lay_out
from seedtrain.report._page import Page
from seedtrain.report._text import spelled_out

STANDARDS: Final = ("a-2a", "ua-1")
"""PDF/A-2a (ISO 19005-2, level A: archived with its structure) and PDF/UA-1 (ISO 14289-1: accessible)."""

WITH_FILES: Final = ("a-3a", "ua-1")
"""PDF/A-3a (ISO 19005-3): the same, and files of any kind inside."""


def render_pdf(page: Page, attachments: Sequence[Attachment] = ()) -> bytes:
    """`page` as PDF in the language in use; the mark, the digest and "n / N" on every sheet.

    - `attachments`: files inside the PDF, which then is PDF/A-3a instead of PDF/A-2a.

    A character that no font has is spelled out, for instance as `[U+1F600]`: what was said is never lost.

    Raises `InputError` as `render_html`, and `UnavailableError` where Chinese is wanted and no font has it.
    """
    import typst

    layout = lay_out(page)
    family = _chinese(layout)
    layout = spelled_out(layout, covered(bool(family)).__contains__)
    layout["fonts"] = _families(family)
    layout["attachments"] = [vars(item) for item in attachments]
    try:
        made: Any = typst.compile(
            _template(),
            format="pdf",
            font_paths=typst_fonts(bool(family)),
            ignore_system_fonts=not family,
            sys_inputs={"page": json.dumps(layout, ensure_ascii=False, allow_nan=False)},
            pdf_standards=list(WITH_FILES if attachments else STANDARDS),
            timestamp=_seconds(page),
        )
    except typst.TypstError as error:
        raise UnavailableError(
            f"the PDF cannot be set: {error.message}",
            remedy="Report this with the page: every text is meant to be printable.",
        ) from error
    assert isinstance(made, bytes)
    return made


def _chinese(layout: Any) -> str:
    """The Chinese family that the page needs: in Chinese always, in English only where Chinese characters stand."""
    if layout["language"] == "zh":
        return require_chinese_family()
    needed = re.search("[\u2e80-\u9fff\uff00-\uffef]", json.dumps(layout, ensure_ascii=False))
    found = chinese_family() if needed else None
    return found[0] if found else ""


def _seconds(page: Page) -> int:
    # PDF/A wants a date. No clock: when it was made stands in the record, and the bytes must be the same again.
    day = page.date or datetime.date(2000, 1, 1)
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp())


def _families(chinese: str) -> dict[str, list[str]]:
    more = [chinese] if chinese else []
    return {
        "text": ["Libertinus Serif", *more, "DejaVu Sans"],
        "small": ["DejaVu Sans", *more],
        "code": ["DejaVu Sans Mono", *more, "DejaVu Sans"],
    }


@cache
def _template() -> bytes:
    return files("seedtrain.report").joinpath("templates/page.typ").read_bytes()
