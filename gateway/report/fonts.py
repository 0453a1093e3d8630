"""Finds the Chinese fonts. A PDF without them would show boxes, so their absence is an error."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lianzhi.errors import ConfigurationError

SANS, SERIF = "Noto Sans CJK SC", "Noto Serif CJK SC"
FILES = ("NotoSansCJK-Regular.ttc", "NotoSerifCJK-Regular.ttc")
FOLDERS = (
    Path("/usr/share/fonts/opentype/noto"),
    Path("/usr/share/fonts/noto-cjk"),
    Path("/usr/share/fonts/google-noto-cjk"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
)


class FontMissingError(ConfigurationError):
    """No Noto CJK font on this machine; the text says how to get it."""

    def __init__(self, looked: Iterable[Path]) -> None:
        places = "、".join(str(folder) for folder in looked)
        super().__init__(
            f"找不到中文字体 {' 与 '.join(FILES)}（找过 {places}）。请安装：apt-get install fonts-noto-cjk，"
            f"或用 --fonts 指定所在文件夹。"
            f" The Chinese fonts are missing: apt-get install fonts-noto-cjk, or name their folder with --fonts."
        )


def font_folder(given: Path | None = None, folders: Iterable[Path] = FOLDERS) -> Path:
    """The folder that holds both. given: look there only. Raises FontMissingError."""
    looked = [given] if given is not None else list(folders)
    for folder in looked:
        if all((folder / name).is_file() for name in FILES):
            return folder
    raise FontMissingError(looked)
