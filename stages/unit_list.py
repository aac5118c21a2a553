"""The rows of a unit's list of secret matters (国家秘密事项一览表), from a workbook (xlsx) or CSV. Runs in the worker.

Threat model: see `formats/archive.py` for the workbook. Formulas are never computed: the values kept with them are
taken. Rows, columns and characters are bounded. Faults name row and column, never what stands there.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import openpyxl

from ..common.errors import UsageFault
from ..common.limits import Limits
from ..formats.archive import checked_names
from ..formats.fault import guarded
from ..models.level import Family, Level
from ..models.policy.schema import UnitItem
from .mark_grammar import read_term

MOST_ROWS = 5000
_MOST_COLUMNS = 60
_MOST_CHARACTERS = 2000
_MOST_BLANK = 200
_HEAD_ROWS = 20
_COLUMNS = {
    "item": ("国家秘密事项名称", "国家秘密事项", "秘密事项", "事项名称", "具体事项", "事项", "item"),
    "level": ("密级", "定密密级", "level"),
    "period": ("保密期限", "期限", "period"),
    "scope": ("知悉范围", "知悉人员范围", "范围", "scope"),
    "words": ("关键词", "关键词语", "关键字", "识别词", "words", "keywords"),
}
_NEEDED = ("item", "level", "words")
_SPLIT = re.compile(r"[、,;/|\n]+")


def read_items(data: bytes, *, limits: Limits) -> tuple[UnitItem, ...]:
    """The rows below the headings 事项、密级、关键词 (needed), 保密期限、知悉范围 (or empty).

    Raises:
        FormatFault: the workbook is damaged or hostile.
        UsageFault: `unit_list_…`, whose `detail` is `row|column`, both as the file counts and names them.
    """
    rows = _workbook(data, limits) if data[:2] == b"PK" else _csv(data)
    columns: dict[str, int] = {}
    names: dict[str, str] = {}
    items: list[UnitItem] = []
    seen: set[str] = set()
    for number, cells in rows:
        if not columns:
            columns = _headings(cells)
            names = {kind: cells[at] for kind, at in columns.items()}
            if not columns and number >= _HEAD_ROWS:
                break
            continue
        if not any(cells):
            continue
        given = {kind: cells[at] if at < len(cells) else "" for kind, at in columns.items()}
        item = _item(number, given, names)
        if item.item in seen:
            raise _wrong("unit_list_twice", number, names["item"])
        seen.add(item.item)
        items.append(item)
    if not columns:
        raise _wrong("unit_list_headings", 1, "事项、密级、关键词")
    if not items:
        raise _wrong("unit_list_empty", 1, names["item"])
    return tuple(items)


def _item(number: int, given: dict[str, str], names: dict[str, str]) -> UnitItem:
    for kind, text in given.items():
        if len(text) > _MOST_CHARACTERS:
            raise _wrong("unit_list_too_long", number, names[kind])
    if not given["item"]:
        raise _wrong("unit_list_no_item", number, names["item"])
    try:
        level = Level.parse(given["level"].replace("级", "").replace("★", ""))
    except ValueError:
        raise _wrong("unit_list_level", number, names["level"]) from None
    if level.family in (Family.INTERNAL, Family.PUBLIC):
        raise _wrong("unit_list_level", number, names["level"])
    period = given.get("period", "").replace(" ", "")
    period = f"{period}年" if period.isdecimal() else period
    read = read_term(period) if period else None
    if period and read is None:
        raise _wrong("unit_list_period", number, names["period"])
    words = tuple(dict.fromkeys(word.strip() for word in _SPLIT.split(given["words"]) if word.strip()))
    if not words or any(len(word) < 2 for word in words):
        raise _wrong("unit_list_words", number, names["words"])
    scope = given.get("scope", "").replace("\n", "；")
    item = given["item"].replace("\n", "")
    return UnitItem(item, level, str(read[0]) if read else "", scope, words, number)


def _headings(cells: Sequence[str]) -> dict[str, int]:
    """Which column is which; empty when a needed one is not there."""
    plain = [re.sub(r"\s|\(.*?\)", "", cell).lower() for cell in cells]
    found: dict[str, int] = {}
    for kind, names in _COLUMNS.items():
        places = [plain.index(name) for name in names if name in plain]
        if places:
            found[kind] = places[0]
    return found if all(kind in found for kind in _NEEDED) else {}


def _workbook(data: bytes, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    checked_names(data, limits)
    with guarded("XLSX"):
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0] if book.worksheets else None
            values = sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True) if sheet is not None else ()
            rows = list(_bounded(values))
        finally:
            book.close()
    yield from rows


def _csv(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise _wrong("unit_list_unreadable", 1, "") from None
    if "\x00" in text:
        raise _wrong("unit_list_unreadable", 1, "")
    first = text.split("\n", 1)[0]
    delimiter = max((",", "\t", ";", "，"), key=first.count)
    try:
        yield from _bounded(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        raise _wrong("unit_list_unreadable", 1, "") from None


def _bounded(rows: Iterable[Sequence[object]]) -> Iterator[tuple[int, list[str]]]:
    """Rows as texts, numbered from 1; after many blank ones the list has ended."""
    blank = 0
    for number, row in enumerate(islice(rows, MOST_ROWS + _MOST_BLANK + 1), start=1):
        cells = [_text(value) for value in row[:_MOST_COLUMNS]]
        blank = 0 if any(cells) else blank + 1
        if blank > _MOST_BLANK:
            return
        if number > MOST_ROWS:
            raise _wrong("unit_list_too_long", number, "")
        yield number, cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFKC", str(value)[: _MOST_CHARACTERS + 1]).strip()


def _wrong(code: str, row: int, column: str) -> UsageFault:
    return UsageFault(code, detail=f"{row}|{column[:20]}")
