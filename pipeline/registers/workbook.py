"""A workbook (xlsx, ECMA-376 part 1) written row by row: a million rows take no more memory than ten.

Nothing of it lies anywhere but in the file that was asked for. What stands above the rows but is known only after them
(the ledger's checkpoint) is a shared string, which the format keeps in a part of its own.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from typing import BinaryIO, Final
from xml.sax.saxutils import escape

MOST_ROWS: Final = 1_048_576
"""Rows that a sheet has (and that spreadsheets open)."""
_PLAIN, _BOLD, _TITLE, _NOTE = 1, 2, 3, 0
_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for."""
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_BORDER: Final = "".join(f'<{side} style="thin"/>' for side in ("left", "right", "top", "bottom"))
_WRAP: Final = '<alignment vertical="center" wrapText="1"/>'


class Workbook:
    """One sheet in the making: title and note above, then the heading and the rows, all with borders.

    Args:
        out: seekable. widths: of the columns, in characters.
    """

    def __init__(self, out: BinaryIO, *, title: str, heads: Sequence[str], widths: Sequence[float]) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._title = title
        self._letters = [_letters(number) for number in range(len(heads))]
        self._rows = 2
        columns = "".join(
            f'<col min="{number}" max="{number}" width="{width:.2f}" customWidth="1"/>'
            for number, width in enumerate(widths, start=1)
        )
        self._sheet = self._zip.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._write(
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews>'
            '<sheetView workbookViewId="0"><pane ySplit="3" topLeftCell="A4" activePane="bottomLeft" state="frozen"/>'
            f"</sheetView></sheetViews><cols>{columns}</cols><sheetData>"
            f'<row r="1"><c r="A1" s="{_TITLE}" t="s"><v>0</v></c></row>'
            f'<row r="2"><c r="A2" s="{_NOTE}" t="s"><v>1</v></c></row>'
        )
        self.row(heads, bold=True)

    def row(self, cells: Sequence[str | int | None], *, bold: bool = False) -> None:
        """One more row; numbers stay numbers."""
        self._rows += 1
        style, cut = _BOLD if bold else _PLAIN, []
        for letters, cell in zip(self._letters, cells, strict=False):
            place = f'<c r="{letters}{self._rows}" s="{style}"'
            if cell is None or cell == "":
                cut.append(f"{place}/>")
            elif isinstance(cell, int):
                cut.append(f"{place}><v>{int(cell)}</v></c>")
            else:
                cut.append(f'{place} t="inlineStr"><is><t xml:space="preserve">{_fit(cell)}</t></is></c>')
        self._write(f'<row r="{self._rows}">{"".join(cut)}</row>')

    def finish(self, *, note: str, header: str, footer: Sequence[str]) -> None:
        """Ends it: the second line, and head and foot (left, centre, right) of printed sheets."""
        texts = [f"&amp;{side}{_fit(text)}" for side, text in zip("LCR", footer, strict=True)]
        self._write(
            '</sheetData><pageMargins left="0.4" right="0.4" top="0.7" bottom="0.7" header="0.3" footer="0.3"/>'
            '<pageSetup orientation="landscape" paperSize="9" fitToWidth="1" fitToHeight="0"/><headerFooter>'
            f"<oddHeader>&amp;C{_fit(header)}</oddHeader><oddFooter>{''.join(texts)}</oddFooter></headerFooter></worksheet>"
        )
        self._sheet.close()
        shared = "".join(f'<si><t xml:space="preserve">{_fit(text)}</t></si>' for text in (self._title, note))
        self._part("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}" count="2" uniqueCount="2">{shared}</sst>')
        self._part("xl/styles.xml", _STYLES)
        name = escape(self._title, {'"': "&quot;"})
        self._part(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets><sheet name="{name}" sheetId="1" r:id="rId1"/>'
            '</sheets><definedNames><definedName name="_xlnm.Print_Titles" localSheetId="0">'
            f"'{name}'!$1:$3</definedName></definedNames></workbook>",
        )
        self._part("xl/_rels/workbook.xml.rels", _relations(
            ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")
        ))  # fmt: skip
        self._part("_rels/.rels", _relations(("officeDocument", "xl/workbook.xml")))
        self._part("[Content_Types].xml", _TYPES)
        self._zip.close()

    def _part(self, name: str, text: str) -> None:
        self._zip.writestr(name, _HEAD + text)

    def _write(self, text: str) -> None:
        self._sheet.write(text.encode())


def _fit(text: str) -> str:
    return escape(_UNFIT.sub("\ufffd", text))


def _letters(number: int) -> str:
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def _relations(*targets: tuple[str, str]) -> str:
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{_DOCUMENT}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{rows}</Relationships>'


_STYLES: Final = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="3"><font><sz val="11"/><name val="宋体"/></font>'
    '<font><b/><sz val="11"/><name val="宋体"/></font><font><b/><sz val="16"/><name val="宋体"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    f'</fills><borders count="2"><border/><border>{_BORDER}</border></borders>'
    '<cellStyleXfs count="1"><xf fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4">'
    '<xf fontId="0" fillId="0" borderId="0" xfId="0"/>'
    f'<xf fontId="0" fillId="0" borderId="1" xfId="0" applyBorder="1" applyAlignment="1">{_WRAP}</xf>'
    f'<xf fontId="1" fillId="0" borderId="1" xfId="0" applyFont="1" applyBorder="1" applyAlignment="1">{_WRAP}</xf>'
    '<xf fontId="2" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_TYPES: Final = (
    f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    + "".join(
        f'<Override PartName="/xl/{part}" ContentType="{_TYPE}.{kind}+xml"/>'
        for part, kind in (
            ("workbook.xml", "sheet.main"), ("worksheets/sheet1.xml", "worksheet"), ("styles.xml", "styles"),
            ("sharedStrings.xml", "sharedStrings"),
        )
    )
    + "</Types>"
)  # fmt: skip
