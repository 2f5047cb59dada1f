"""The documentation runs: Python blocks as they stand, console blocks through the installed command line."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(?P<language>python|console)\n(?P<body>.*?)^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    body: str


def blocks(language: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match["language"] == language:
                found.append(Block(page, text[: match.start()].count("\n") + 1, language, match["body"]))
    return found


def name(block: Block) -> str:
    return f"{block.page.relative_to(ROOT)}:{block.line}"


@pytest.mark.parametrize("block", blocks("python"), ids=name)
def test_python_block_runs(block: Block, tmp_path, monkeypatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(block.body, name(block), "exec"), {"__name__": "__docs__"})  # noqa: S102


@pytest.mark.parametrize("block", blocks("console"), ids=name)
def test_console_block_gives_what_it_shows(block: Block, tmp_path) -> None:
    """A line `$ command` runs; the lines under it must appear in its output, `...` stands for anything."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    steps = re.split(r"^\$ ", block.body, flags=re.M)[1:]
    assert steps, "a console block needs a line that begins with `$ `"
    for step in steps:
        command, _, shown = step.partition("\n")
        words = shlex.split(command)
        if words[0] == "seedtrain":
            words = [str(Path(sys.executable).with_name("seedtrain")), *words[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        printed = done.stdout + done.stderr
        for expected in shown.splitlines():
            pattern = ".*".join(re.escape(part) for part in expected.strip().split("..."))
            assert re.search(pattern, printed), f"{command!r} did not print {expected!r}:\n{printed}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target = match["target"]
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
