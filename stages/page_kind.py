"""What a page of real mail is: a paper's page, its first one, an annex's, an envelope, a cover list, a slip, blank.

Pure: what was read of the page and the barcodes found on it, nothing else. Place and size are hints and words are
evidence (GB/T 9704-2012 ch. 7 for first pages and annexes; the room's own forms for envelopes and lists). Whatever
is not sure stays a `paper`: a page taken for an envelope would be left out of the fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..models.page import Line, Page, PageKind
from .fields_mark import is_secret_mark, is_serial, is_urgency
from .fields_number import has_number, is_number
from .fields_text import KIND_END, OTHER_END, is_organ, tight
from .page_printed import printed_of
from .slip import SEPARATOR_TITLE, SLIP_TITLE, Slip, read_slip

NON_DOCUMENT: frozenset[PageKind] = frozenset({"envelope", "cover_slip", "slip", "separator"})
"""Pages that come with a document and are none of its own."""

_HEAD = 0.5
"""A first page shows letterhead, number and title in its upper half."""
_CORNERS = 0.3
"""Serial, mark and urgency stand above this."""
_LARGE_MM = 6.5
"""Letterheads are 小标宋 of 22 pt and more (7.8 mm); a title is 2号 (7.4 mm), text 3号 (5.5 mm)."""
_FEW_CHARACTERS = 220
_FEW_LINES = 18
_FIRST_PAGE = 4.0
_RECEIPT = re.compile(r"(?<![A-Z0-9])R\d{4}-\d{5,}(?!\d)")
_ORDER = re.compile(r"第(\d{1,4})件[，,/]?共(\d{1,4})件")
_PAGES = re.compile(r"(?:每份|本件|页数[:：]?)共?(\d{1,5})页")
_ANNEX = re.compile(
    r"^(?:.{2,24}号)?(?:附件|附表|附录|附图)[:：]?(?:[\d一二三四五六七八九十]{1,3}(?:[-—]\d{1,2})?)?[:：]?$"
)
_TELEGRAM = re.compile(r"(?:传真电报|密码电报|密传发电|发电|明传电报)$")
_FILE_HEAD = re.compile(
    r"(?:文件|公文|会议纪要|办公会纪要|纪要|简报|专报|快报|命令|令|传真|公报|通报|情况反映|内参|信息)$"
)
_ADDRESSEE = re.compile(
    r"^[^。；;]{3,120}(?<!如下)(?<!以下)(?<!包括)(?<!规定)(?<!要求)(?<!意见)(?<!通知)(?<!决定)(?<!附件)[：:]$"
)

_ENVELOPE = {
    "room": re.compile(r"机要(?:信封|信件|信函|件|邮件|文件|交通|通信|号|专递)|密件|机要室收|机要局"),
    "to": re.compile(
        r"收件人|收信人|收件单位|收件地址|收文单位|收启|亲启|亲收|启封"
        r"|(?:同志|先生|女士|局|厅|部|室|处|办|公司|委|院)[(（]?收[)）]?$"
    ),
    "from": re.compile(
        r"寄件|寄发|发件|寄信|寄自|寄出|发信|(?:局|厅|部|室|处|办|公司|委|院|政府)[(（]?(?:寄|缄|封|发出)[)）]?$"
    ),
    "number": re.compile(r"机要号|信封编号|封套编号|套号|封号|机编号|内装|内件|编号[:：]?\S|(?:共|计)\d+件"),
    "level": re.compile(r"^密级|^(?:绝密|机密|秘密)(?:★.*)?$|特急|加急|急件|密封|骑缝"),
    "post": re.compile(r"邮政编码|邮编|^\d{6}$|贴邮票|挂号|邮戳|[省市县区].{1,20}(?:路|街|巷|号)\d*号?$"),
}  # fmt: skip
_LIST_TITLE = re.compile(
    r"^.{0,20}?(?:(?:文件|发文|送文|收文|公文|密件|机要件?|机要文件|涉密文件|涉密载体|信函|函件|投递|移送|移交|交接|寄发|发送|发件|材料|资料)"
    r"(?:送达|投递|交接|移交|签收|发送|收发)?(?:清单|回执|回单|签收单|交接单|登记单|送文单|收据))$|^(?:送达回执|送文单|发文通知单|收件回执|回执|文件交换单|交换清单)$"
)  # fmt: skip
_LIST_HEADS = (
    "序号", "编号", "文件名称", "文件标题", "标题", "名称", "文号", "发文字号", "字号", "份数", "页数", "份号",
    "密级", "备注", "件数", "数量", "收文单位", "收件单位", "发文单位", "来文单位", "封套号", "机要号", "紧急程度",
)  # fmt: skip
_LIST_SIGNED = re.compile(
    r"签收|收件人|收文人|送件人|送文人|经手人|交接人|接收人|发件人|退回|盖章后|回执|收到(?:日期|时间)|领取人"
)


@dataclass(frozen=True, slots=True)
class KindRead:
    """What a page is taken for, and why (words for the ledger of a reviewer's screen, no content)."""

    kind: PageKind
    reasons: tuple[str, ...] = ()
    slip: Slip | None = None
    """What a slip or separator says."""


def with_kinds(
    pages: Sequence[Page], *, slips: Mapping[int, Slip] | None = None, unread: frozenset[int] = frozenset()
) -> tuple[Page, ...]:
    """The pages with their kinds; a page that could not be read (`unread`) is never called blank."""
    known = slips or {}
    return tuple(
        page
        if page.number in unread
        else replace(page, kind=page_kind(page, slip=known.get(page.number)).kind)
        for page in pages
    )


def page_kind(page: Page, *, barcodes: Sequence[str] = (), slip: Slip | None = None) -> KindRead:
    """What a page is.

    Args:
        page: as read; boxes are fractions of it.
        barcodes: texts of the barcodes found on it. slip: what they said, where that is known already.
    """
    for code in barcodes:
        slip = slip or read_slip(code)
    if slip is not None:
        return KindRead(slip.kind, ("barcode",), slip)
    lines = [(line, tight(line.text)) for line in page.lines]
    lines = [(line, text) for line, text in lines if text]
    if not lines:
        return KindRead("blank", ("no_text",))
    for read in (_own_form(lines), _cover_slip(page, lines), _envelope(page, lines), _annex(lines)):
        if read is not None:
            return read
    score, reasons = first_page_score(page)
    return KindRead("letterhead" if score >= _FIRST_PAGE else "paper", reasons)


def _own_form(lines: list[tuple[Line, str]]) -> KindRead | None:
    """One of our own forms whose barcode was not read: by its title and the receipt's number, in few words."""
    title = next((text for _, text in lines[:6] if text in (SLIP_TITLE, SEPARATOR_TITLE)), None)
    whole = "\n".join(text for _, text in lines)
    number = _RECEIPT.search(whole)
    if title is None or number is None or len(lines) > 3 * _FEW_LINES:
        return None
    order, pages = _ORDER.search(whole), _PAGES.search(whole)
    slip = Slip(
        receipt=number.group(), kind="slip" if title == SLIP_TITLE else "separator",
        order=int(order[1]) if order else None, of=int(order[2]) if order else None,
        pages=int(pages[1]) if pages else None,
    )  # fmt: skip
    return KindRead(slip.kind, ("title", "receipt"), slip)


def _cover_slip(page: Page, lines: list[tuple[Line, str]]) -> KindRead | None:
    """A list of what an envelope holds: its title on top, the headings of its table, a place to sign."""
    top = [text for line, text in lines if line.box.centre[1] < 0.4][:10]
    title = any(_LIST_TITLE.fullmatch(text.strip("《》")) for text in top)
    if not title or _ANNEX.fullmatch(lines[0][1]):
        return None
    cells = [tight(cell.text) for table in page.tables for cell in table.cells]
    words = [text for _, text in lines] + cells
    heads = {head for head in _LIST_HEADS for word in words if head in word and len(word) < 90}
    signed = any(_LIST_SIGNED.search(word) for word in words)
    prose = sum(len(text) for _, text in lines if len(text) >= 24 and "。" in text)
    if len(heads) >= 2 and (signed or len(heads) >= 4) and prose < 160:
        return KindRead("cover_slip", ("title", f"headings {len(heads)}", *(["signing"] if signed else [])))
    return None


def _envelope(page: Page, lines: list[tuple[Line, str]]) -> KindRead | None:
    """Few words, and what envelopes say: who gets it, who sends it, its number; an envelope's own size weighs too."""
    characters = sum(len(text) for _, text in lines)
    if characters > _FEW_CHARACTERS or len(lines) > _FEW_LINES:
        return None
    if any(len(text) > 30 and "。" in text for _, text in lines):
        return None
    signs = {name for name, pattern in _ENVELOPE.items() if any(pattern.search(text) for _, text in lines)}
    shape = is_envelope_shape(page.width_mm, page.height_mm)
    titled = any(KIND_END.search(text) and len(text) > 6 for _, text in lines)
    between = {"to", "from"} <= signs or ("to" in signs and "number" in signs)
    if titled or not signs & {"room", "to", "from"}:
        return None
    if ("room" in signs and len(signs) >= 3) or (between and len(signs) >= 3) or (shape and len(signs) >= 2):
        return KindRead("envelope", (*sorted(signs), *(["shape"] if shape else [])))
    return None


def is_envelope_shape(width_mm: float, height_mm: float) -> bool:
    """Whether a page has the size of an envelope (GB/T 1416: B6, DL, ZL, C5, C4), or lies across and is no sheet of A.

    A C4 envelope (229 x 324) is nearly an A4 sheet, so it is told by its words alone.
    """
    long, short = max(width_mm, height_mm), min(width_mm, height_mm)
    if short <= 0:
        return False
    sizes = ((176, 125), (220, 110), (230, 120), (229, 162), (230, 160), (320, 230))
    known = any(abs(long - a) <= 6 and abs(short - b) <= 6 for a, b in sizes)
    return known or (width_mm > height_mm and long / short >= 1.6)


def _annex(lines: list[tuple[Line, str]]) -> KindRead | None:
    """`附件1` at the top left, on a line of its own (GB/T 9704 7.3.7)."""
    for line, text in lines[:4]:
        if line.box.centre[1] > 0.25:
            break
        if _ANNEX.fullmatch(text) and line.box.left < 0.45:
            return KindRead("annex", ("annex_head",))
    return None


def first_page_score(page: Page) -> tuple[float, tuple[str, ...]]:
    """How much speaks for a document beginning on this page, and what. From 4.0 on it is taken for one.

    Letterhead in red or of its form 2.5 (in large type 1 more), number on a line of its own 1.5, telegram head 2.5,
    title 1, addressee below them 1, all three 0.5 more; serial, mark or urgency 0.5 each; against it: a printed page
    number above 1.
    """
    lines = [(line, tight(line.text)) for line in page.lines if line.box.centre[1] < _HEAD]
    lines = [
        (line, text) for line, text in lines if text and line.role not in ("header", "footer", "page_number")
    ]
    score, reasons = 0.0, []

    def add(points: float, why: str) -> None:
        nonlocal score
        if why not in reasons:
            score += points
            reasons.append(why)

    for index, (line, text) in enumerate(lines):
        large = line.size_mm is not None and line.size_mm >= _LARGE_MM
        form = _FILE_HEAD.search(text) is not None and is_organ(re.sub(r"(?:文件|公文)$", "", text))
        high = line.box.centre[1] < 0.42 and len(text) <= 40
        if high and line.colour == "red" and (large or form or is_organ(text)):
            add(3.5, "red_head")
        elif high and text.endswith(("文件", "纪要")) and form and index < 8:
            add(3.5 if large else 2.5, "head")
        elif high and large and is_organ(text) and index < 6:
            add(1.5, "large_organ")
        if _TELEGRAM.search(text) and len(text) <= 20 and high:
            add(2.5, "telegram")
        if is_number(text) or (has_number(text) and len(text) <= 24 and "《" not in text):
            add(1.5, "number")
        if (
            (KIND_END.search(text) or (OTHER_END.search(text) and large))
            and 4 <= len(text) <= 80
            and "。" not in text
        ):
            centred = abs(line.box.centre[0] - 0.5) < 0.12
            if large or ("关于" in text and centred) or (centred and len(text) < 28):
                add(1.0, "title")
        begun = "title" in reasons or "number" in reasons
        if begun and _ADDRESSEE.fullmatch(text) and line.box.left < 0.35:
            add(1.0, "addressee")
        for is_one, why in ((is_serial, "serial"), (is_secret_mark, "mark"), (is_urgency, "urgency")):
            if line.box.centre[1] < _CORNERS and is_one(text):
                add(0.5, why)
    if {"title", "number", "addressee"} <= set(reasons):
        score += 0.5
    if (printed_of(page)[0] or 0) > 1:
        score -= 3.0
        reasons.append("later_page")
    if not {"red_head", "head", "telegram", "number", "large_organ"} & set(reasons):
        score = min(score, _FIRST_PAGE - 0.5)
    return score, tuple(reasons)
