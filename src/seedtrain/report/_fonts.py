"""Where the letters come from: what the wheels carry, and for Chinese a package or the system."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any, Final

from seedtrain.base import UnavailableError, language

CHINESE_PACKAGES: Final = ("pylopdf_fonts_zh_cn", "manimgx_fonts_cjk", "justmytype_intl_cjk")
"""Installable packages that carry an openly licensed (OFL) Simplified Chinese font."""

CHINESE_FAMILIES: Final = (
    "Noto Sans SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Serif SC",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "SimHei",
    "SimSun",
    "Droid Sans Fallback",
)


@cache
def font_folders() -> tuple[str, ...]:
    """Folders of fonts inside installed packages: the sans serif of matplotlib's wheel, Chinese where there is one."""
    found = []
    for package, inside in (("matplotlib", "mpl-data/fonts/ttf"), *((name, ".") for name in CHINESE_PACKAGES)):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin:
            folder = Path(spec.origin).parent / inside
            if folder.is_dir():
                found.append(str(folder))
    return tuple(found)


@cache
def typst_fonts(system: bool) -> Any:
    """The fonts for a PDF; those of the system only where Chinese needs them, so that English is the same anywhere."""
    import typst

    return typst.Fonts(include_system_fonts=system, include_embedded_fonts=True, font_paths=list(font_folders()))


@cache
def chinese_family() -> tuple[str, str] | None:
    """Family and file of the best Simplified Chinese font there is, those of packages before the system's."""
    for system in (False, True):
        files: dict[str, tuple[int, str]] = {}
        for item in typst_fonts(system).fonts():
            distance = abs(int(item.weight) - 400)
            if item.path and item.family in CHINESE_FAMILIES:
                files[item.family] = min(files.get(item.family, (1000, "")), (distance, str(item.path)))
        for family in CHINESE_FAMILIES:
            if family in files:
                return family, files[family][1]
    return None


def chinese_font() -> str | None:
    """The family in which Chinese is printed here; None where none is installed."""
    found = chinese_family()
    return found[0] if found else None


@cache
def covered(chinese: bool) -> frozenset[str]:
    """The characters that a PDF's fonts have: DejaVu Sans, and the Chinese font where it is used."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    paths = [str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")]
    found = chinese_family() if chinese else None
    if found:
        paths.append(found[1])
    return frozenset(chr(code) for path in paths for code in FT2Font(path).get_charmap())


def chinese_font_file() -> str | None:
    """The font file that figures in Chinese are measured with; `None` in English or where there is none."""
    if language() != "zh":
        return None
    found = chinese_family()
    return found[1] if found else None


def require_chinese_family() -> str:
    """The family for a PDF in Chinese; raises `UnavailableError` where no font is installed."""
    found = chinese_family()
    if found is None:
        raise UnavailableError(
            "a PDF in Chinese needs a Chinese font, and none is installed",
            remedy="Run `pip install pylopdf-fonts-zh-cn` or `apt-get install fonts-noto-cjk`, or print in English.",
        )
    return found[0]
