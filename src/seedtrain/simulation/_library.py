"""The cultures that come with Seedtrain, and reading one's own."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from seedtrain.base import InputError, parse_document, read_document
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._culture_file import build


def culture_folder() -> Any:
    """The folder of the cultures that come with Seedtrain."""
    return files("seedtrain.simulation") / "cultures"


def shipped_cultures() -> tuple[str, ...]:
    """The names of the cultures that come with Seedtrain."""
    return tuple(sorted(item.name.removesuffix(".yaml") for item in culture_folder().iterdir() if _is_yaml(item.name)))


def read_culture(name_or_path: str | Path) -> Culture:
    """The culture in a file, or the shipped one of that name; every fault of the file is an `InputError` at its place.

    **Source** the format is described in docs/reference/culture.md.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, str) and not _is_yaml(text) and "/" not in text:
        if text not in shipped_cultures():
            raise InputError(
                f"there is no culture {text!r}",
                remedy=f"Use one of: {', '.join(shipped_cultures())}; or the path of a .yaml file.",
            )
        return _shipped(text)
    return build(read_document(Path(text), what="culture"))


def culture_of_text(text: str, file: str) -> Culture:
    """`read_culture` of text in memory; `file` names it in errors."""
    return build(parse_document(text, file))


@lru_cache(maxsize=32)
def _shipped(name: str) -> Culture:
    file = f"{name}.yaml"
    return build(parse_document((culture_folder() / file).read_text("utf-8"), f"cultures/{file}"))


def _is_yaml(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))
