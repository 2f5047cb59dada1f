"""Text as it may stand in a page."""

from __future__ import annotations

import re
from typing import Final

# What XML 1.0 (section 2.2) does not allow, plus the marks that turn the direction of text around.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)


def clean(text: str) -> str:
    """`text` with every character that cannot be printed replaced by the replacement character."""
    return _FORBIDDEN.sub("\ufffd", text)
