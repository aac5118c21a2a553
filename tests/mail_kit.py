"""Made-up pages of mail as values, for tests: first pages, text, annexes, envelopes, lists, blanks."""

from __future__ import annotations

from collections.abc import Sequence

from jiyao.models.page import Box, Line, Page

A4 = (210.0, 297.0)
C5 = (229.0, 162.0)


def line(
    text: str,
    y: float,
    *,
    x: float = 0.5,
    size: float | None = 5.5,
    colour: str = "black",
    width: float | None = None,
) -> Line:
    """A line of type centred at (x, y), fractions of the page."""
    wide = width if width is not None else min(0.8, 0.027 * len(text))
    box = Box(max(0.0, x - wide / 2), y - 0.01, min(1.0, x + wide / 2), y + 0.01)
    return Line(text, box, 0.98, size, colour)  # type: ignore[arg-type]


def left(text: str, y: float, **more: object) -> Line:
    """A line that begins at the left edge of the text."""
    wide = min(0.8, 0.027 * len(text))
    return line(text, y, x=0.13 + wide / 2, **more)  # type: ignore[arg-type]


def page(number: int, *lines: Line, size: tuple[float, float] = A4, printed: int | None = None) -> Page:
    """A page of these lines, with its printed number below when there is one."""
    own = (*lines, *([line(f"— {printed} —", 0.91, size=4.9)] if printed else []))
    return Page(number, *size, own, "ocr" if own else "none", "test", 0.98 if own else 0.0)


def first(
    number: int, *, organ: str = "云梦省乌有局", doc: str = "乌有发〔2026〕1号", serial: str | None = None,
    red: bool = True, printed: int | None = 1, title: str = "关于报送样例材料的通知",
) -> Page:  # fmt: skip
    """The first page of a paper after GB/T 9704."""
    lines = [left(serial, 0.13)] if serial else []
    lines += [
        line(f"{organ}文件", 0.26, size=13, colour="red" if red else "black", width=0.7),
        line(doc, 0.36),
        line(organ + title, 0.44, size=7.4),
        left("样例市虚构局：", 0.5),
        *(
            left(
                "　　现将有关样例材料报送你局，请予审阅。本件内容纯属虚构，如有雷同实属巧合。",
                0.55 + 0.04 * i,
            )
            for i in range(6)
        ),
    ]
    return page(number, *lines, printed=printed)


def text(
    number: int,
    *,
    printed: int | None = None,
    words: str = "二、请各单位按照要求做好样例工作，并于月底前报送。",
) -> Page:
    """A page of text."""
    return page(number, *(left(words, 0.15 + 0.035 * i) for i in range(18)), printed=printed)


def annex(number: int, *, printed: int | None = None, index: str = "1") -> Page:
    """The first page of an annex."""
    return page(
        number, left(f"附件{index}", 0.13), line("样例材料汇总表", 0.2, size=7.4),
        *(left("一、样例材料的名称和数量见下，本页纯属虚构。", 0.3 + 0.04 * i) for i in range(8)), printed=printed,
    )  # fmt: skip


def blank(number: int) -> Page:
    """An empty page."""
    return page(number)


def envelope(number: int, *, size: tuple[float, float] = C5) -> Page:
    """The front of an envelope of the confidential post."""
    return page(
        number, left("机要号：1234567", 0.1), line("密级：机密", 0.1, x=0.8), line("样例市样例路1号", 0.4),
        line("样例市虚构局办公室收", 0.5, size=8), line("云梦省乌有局寄", 0.85, x=0.75), size=size,
    )  # fmt: skip


def cover(
    number: int, rows: Sequence[str] = ("1 关于报送样例材料的通知 乌有发〔2026〕1号 机密 2 3",)
) -> Page:
    """A list of what an envelope holds."""
    return page(
        number, line("文件清单", 0.1, size=7.4), left("收文单位：样例市虚构局", 0.16),
        left("序号 文件名称 发文字号 密级 份数 页数", 0.22),
        *(left(row, 0.27 + 0.05 * i) for i, row in enumerate(rows)), left("收件人签收：　　　　年　月　日", 0.7),
    )  # fmt: skip
