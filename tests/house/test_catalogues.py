"""Every text for people exists in Simplified Chinese, with the same fields in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

SOURCE = Path(__file__).parents[2] / "src" / "seedtrain"
ROOMS = sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())
FIELD = re.compile(r"\{[^{}]*\}")
IN_TEMPLATE = re.compile(r"""_\(\s*(?P<quote>["'])(?P<text>.*?)(?P=quote)\s*\)""")


def spoken(room: str) -> set[str]:
    """The literals that a room hands to `translate`."""
    found: set[str] = set()
    for path in (SOURCE / room).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.name == "translate"
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    found.add(str(argument.value))
    for path in [*(SOURCE / room).rglob("*.html"), *(SOURCE / room).rglob("*.j2")]:
        found.update(match["text"] for match in IN_TEMPLATE.finditer(path.read_text(encoding="utf-8")))
    return found


def catalogue(room: str) -> dict[str, str]:
    path = SOURCE / room / "locale" / "zh.po"
    if not path.exists():
        return {}
    with path.open("rb") as stream:
        return {str(entry.id): str(entry.string) for entry in read_po(stream, locale="zh") if entry.id}


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_is_translated(room: str) -> None:
    missing = sorted(text for text in spoken(room) if not catalogue(room).get(text))
    assert not missing


@pytest.mark.parametrize("room", ROOMS)
def test_translations_keep_the_fields(room: str) -> None:
    for text, chinese in catalogue(room).items():
        assert sorted(FIELD.findall(text)) == sorted(FIELD.findall(chinese)), text
