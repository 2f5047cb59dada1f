"""Text as it may stand in a page."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

T = TypeVar("T")

# What XML 1.0 (section 2.2) does not allow, what turns the direction of text around, and what PDF/A does not allow:
# private use (ISO 19005-2, 6.2.11.7.3) and code points that are no characters.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\uf8ff\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U0010ffff]"
)


def clean(text: str) -> str:
    """`text` with every character that cannot be printed replaced by the replacement character."""
    return _FORBIDDEN.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def cleaned(value: T) -> T:
    """A figure with all its texts `clean`."""
    found: T = _mapped(value, clean)
    return found


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [item.name for item in dataclasses.fields(value)]
        return dataclasses.replace(value, **{name: _mapped(getattr(value, name), change) for name in names})
    if isinstance(value, tuple | list):
        return tuple(_mapped(item, change) for item in value) if _holds_text(value) else value
    return value


def _holds_text(items: Any) -> bool:
    return any(isinstance(item, str) or dataclasses.is_dataclass(item) for item in items[:1])


def spelled_out(value: Any, printable: Callable[[str], bool]) -> Any:
    """Plain data with each character that is not `printable` spelled out, for instance as `[U+1F600]`."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return "".join(x if x.isascii() or printable(x) else f"[U+{ord(x):04X}]" for x in value)
    if isinstance(value, dict):
        return {key: spelled_out(item, printable) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled_out(item, printable) for item in value]
    return value
