"""Papers put together at random, with places, noise and torn lines: every field comes back, none is made up."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from jiyao.models.fields import OfficialFields
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.extract import extract

PLACES = ("青崖市", "白鹿县", "临渊省", "石门区", "沅水镇", "中共青崖市", "青崖市白鹿区", "")
SUFFIXES = (
    "人民政府", "人民政府办公室", "委员会", "委办公室", "防汛抗旱指挥部", "营商环境整治工作专班",
    "安全生产委员会办公室", "经济和信息化局", "商业联合会", "水利科学研究所", "滨河街道办事处",
    "大柳村村民委员会", "高新技术产业开发区管理委员会", "第一人民医院", "职业技术学院", "行业协会",
    "残疾人联合会", "供销合作社联合社", "国有林场", "融媒体中心", "税务局", "人民法院",
    "重大项目建设领导小组", "公安局交通警察支队",
)  # fmt: skip
COMPANIES = ("远山机械制造有限公司", "听松食品股份有限公司", "怀瑾控股集团有限公司", "守拙律师事务所")
MATTERS = (
    "做好{}年度档案移交接收工作", "进一步加强和改进城乡供水管理", "开展重点领域安全隐患专项排查整治行动",
    "印发《{}年重点工作任务分解方案（试行）》", "调整议事协调机构组成人员",
    "转发《省发展改革委关于规范招投标活动若干措施》", "召开{}年全市经济工作会议",
)  # fmt: skip
KINDS = ("通知", "意见", "通报", "函", "批复", "请示", "报告", "决定")
TO = (
    "各县（市、区）人民政府，市直各部门：", "市财政局、市审计局：", "各科室，各下属单位：",
    "临渊省人民政府：", "各乡镇党委、政府，各街道党工委、办事处，县直各单位：", "张望舒同志：",
    "局属各单位、机关各处室：",
)  # fmt: skip
CC = (
    "市委办公室，市人大常委会办公室，市政协办公室",
    "省水利厅、省档案局",
    "白鹿县人民法院，白鹿县人民检察院",
)
BODY = (
    "根据2019年3月1日起施行的《条例》和上级2021年5月6日印发的通知要求，结合实际，现就有关事项安排如下。",
    "一、提高认识。各单位主要负责同志要亲自部署，明确专人负责，于2023年12月31日前完成。",
    "二、严肃纪律。对工作不力的，予以通报批评，并限期整改到位。",
    "（一）会议定于2022年4月8日上午9时召开，会期半天，请提前报名。",
)  # fmt: skip
NAMES = ("甄远山", "贾怀瑾", "柳听松", "秦慕白", "欧阳望舒", "尤一舟")
FONT = 0.0195
"""Height of a row of 16 pt type on an A4 page; a character is 0.0265 of its width."""


@dataclass
class Maker:
    """Lines with places, page by page, and what is true."""

    rng: random.Random
    pages: list[list[Line]] = field(default_factory=lambda: [[]])
    y: float = 0.126

    def row(self, text: str, *, x: float | None = None, size: float = 5.6, right: float | None = None,
            colour: str = "black", step: float = 1.6, role: str = "body") -> None:  # fmt: skip
        wide = sum(0.5 if c.isascii() else 1.0 for c in text) * size / 210
        high = size / 297 * 1.05
        left = right - wide if right is not None else (1 - wide) / 2 if x is None else x
        if self.y + high > 0.88:
            self.page()
        shake = self.rng.uniform(-0.001, 0.001)
        box = Box(max(0.0, left), self.y + shake, min(1.0, left + wide), self.y + shake + high)
        self.pages[-1].append(
            Line(text, box, round(self.rng.uniform(0.95, 1.0), 4), size, colour, role=role)  # type: ignore[arg-type]
        )
        self.y += high * step

    def same_row(self) -> None:
        """The next row stands at the height of the last one."""
        self.y = self.pages[-1][-1].box.top

    def page(self) -> None:
        self.pages.append([])
        self.y = 0.126

    def paragraph(self, text: str) -> None:
        text = "\u3000\u3000" + text
        for start in range(0, len(text), 28):
            piece = text[start : start + 28]
            if piece.startswith("\u3000\u3000"):
                self.row(piece[2:], x=0.187)
            else:
                self.row(piece, x=0.133)

    def transcript(self) -> Transcript:
        pages = []
        for number, lines in enumerate(self.pages, 1):
            pages.append(Page(number, 210, 297, tuple(lines), "ocr", "made up", 0.98))
        return Transcript(tuple(pages))


def compose(seed: int) -> tuple[Transcript, dict[str, object]]:
    """One paper and its truth."""
    rng = random.Random(seed)
    make = Maker(rng)
    company = rng.random() < 0.25
    pool = COMPANIES if company else tuple(p + s for p in PLACES for s in SUFFIXES if p)
    organs = tuple(rng.sample(pool, rng.choice((1, 1, 1, 2, 3)) if not company else 1))
    day = date(2013, 1, 1) + timedelta(days=rng.randrange(4500))
    kind = rng.choice(KINDS)
    truth: dict[str, object] = {
        "organs": organs,
        "signed_date": day,
        "kind": kind,
        "serials": (),
        "urgency": None,
    }
    if rng.random() < 0.3:
        make.pages[0].append(
            Line(f"{day:%Y-%m-%d} 10:3{rng.randrange(9)}  FAX 0311-8723{rng.randrange(999):04}  P.1/3",
                 Box(0.1, 0.01, 0.7, 0.022), 0.98, 3.0)
        )  # fmt: skip
    classified = rng.random() < 0.5 and not company
    if classified:
        number = rng.randrange(1, 400)
        if rng.random() < 0.3:
            make.row(f"{number:06}-{number + 2:06}", x=0.133)
            truth["serials"] = tuple(f"{n:06}" for n in range(number, number + 3))
        else:
            make.row(f"{number:06}", x=0.133)
            truth["serials"] = (f"{number:06}",)
        make.row(rng.choice(("秘密★5年", "机密★长期", "机密★20年", "秘密★至2035年12月31日")), x=0.133)
    if rng.random() < 0.4:
        truth["urgency"] = rng.choice(("特急", "加急", "急件"))
        if classified and rng.random() < 0.5:
            make.same_row()
            make.row(str(truth["urgency"]), x=0.5)
        else:
            make.row(str(truth["urgency"]), x=0.133)
    letter = len(organs) == 1 and kind == "函"
    make.y += 0.03
    for place, organ in enumerate(organs):
        last = place == len(organs) - 1
        text = organ if letter else organ + "文件" * (last and (len(organs) == 1 or rng.random() < 0.5))
        make.row(text, size=min(12.0, 150 / len(text)), colour=rng.choice(("red", "red", "black")))
    seq = rng.randrange(1, 300)
    code = rng.choice(("青政发", "鹿办", "青发改规", "临渊函", "某院党字", "ZH"))
    left, right = rng.choice(("〔〕", "[]", "【】", "()", "（）", "﹝﹞"))
    number_text = f"{code}{left}{day.year}{right}{'第' * (rng.random() < 0.1)}{seq}{rng.choice(('', ' '))}号"
    truth["doc_number"] = f"{code}〔{day.year}〕{seq}号"
    signers = tuple(rng.sample(NAMES, len(organs))) if kind in ("请示", "报告") else ()
    truth["signers"] = signers
    if signers:
        make.row(number_text, x=0.16)
        make.same_row()
        make.row("签发人：" + " ".join(signers[:2]), right=0.85)
        if signers[2:]:
            make.row(signers[2], right=0.85)
    elif company and rng.random() < 0.6:
        number_text = f"{rng.choice(('HR', 'QA', 'CW'))}-{day.year}-{seq:03}"
        truth["doc_number"] = number_text
        make.row(
            f"{rng.choice(('编号', '文件编号', '发文编号', '文号'))}：{number_text}  版本号：A/{rng.randrange(4)}",
            x=0.133,
        )
        make.row(f"拟稿：{rng.choice(NAMES)}  核稿：{rng.choice(NAMES)}", x=0.133)
    else:
        make.row(number_text, right=0.87 if letter else None)
    if rng.random() < 0.3:
        make.row("收 文 章", x=0.65, size=4.2, colour="other", role="stamp")
        make.row(f"收文第{rng.randrange(999):04}号", x=0.65, size=4.2, colour="other", role="stamp")
        make.row(f"{day.year}年{day.month}月28日", x=0.65, size=4.2, colour="other", role="stamp")
    make.y += 0.02
    lead = rng.random() < 0.5 and len(organs) == 1
    title = f"{organs[0] if lead else ''}关于{rng.choice(MATTERS).format(day.year)}的{kind}"
    truth["title"] = title
    _title(make, title, rng)
    to = rng.choice(TO)
    truth["recipients"] = None
    if rng.random() < 0.9 and kind != "决定":
        truth["to"] = to[:-1]
        for start in range(0, len(to), 28):
            make.row(to[start : start + 28], x=0.133)
    else:
        truth["to"] = ""
    for text in (BODY[0], *rng.sample(BODY, rng.randrange(2, 4)) * rng.choice((1, 1, 6))):
        make.paragraph(text)
    annexes = tuple(
        rng.sample(
            ("任务分工表", "联络员名单", "2024—2026年度考核评分细则", "申报材料清单"),
            rng.choice((0, 0, 1, 2, 3)),
        )
    )
    truth["attachments"] = annexes
    if len(annexes) == 1:
        make.row(f"附件：{annexes[0]}", x=0.187)
    for place, name in enumerate(annexes if len(annexes) > 1 else ()):
        make.row(f"附件：1.{name}" if not place else f"{place + 1}.{name}", x=0.187 if not place else 0.26)
    make.y += 0.04
    old = rng.random() < 0.2
    spelled = _chinese(day) if old else f"{day.year}年{day.month}月{day.day}日"
    for organ in organs:
        make.row(organ + rng.choice(("", "", "（盖章）")), right=0.83)
    make.row(spelled, right=0.8)
    note = (
        f"（联系人：{rng.choice(NAMES)}，电话：0311-8723{rng.randrange(999):04}）"
        if kind == "请示"
        else rng.choice(("", "（此件公开发布）"))
    )
    truth["note"] = _plain(note[1:-1]) or None
    if note:
        make.row(note, x=0.187)
    if annexes and rng.random() < 0.8:
        for place, name in enumerate(annexes, 1):
            make.page()
            make.row(f"附件{place if len(annexes) > 1 else ''}", x=0.133)
            make.row(name, size=7.7)
            make.paragraph("本表自2030年1月1日起执行，由办公室负责解释，有关单位遵照办理。")
            make.row("2029年9月9日", right=0.8)
    truth["copied_to"], truth["printed_date"] = (), None
    if rng.random() < 0.6:
        cc = rng.choice(CC)
        truth["copied_to"] = tuple(re.split("[，、]", cc))
        make.row(f"抄送：{cc}。", x=0.15, size=4.9)
    if rng.random() < 0.7:
        printed = day + timedelta(days=rng.randrange(5))
        truth["printed_date"] = printed
        text = f"{organs[0]}办公室"
        made = f"{printed.year}年{printed.month}月{printed.day}日印发"
        if rng.random() < 0.5:
            make.row(f"{text}  {made}", x=0.15, size=4.9)
        else:
            make.row(text, x=0.15, size=4.9)
            make.same_row()
            make.row(made, right=0.85, size=4.9)
    for number, lines in enumerate(make.pages, 1):
        lines.append(Line(f"— {number} —", Box(0.8, 0.905, 0.86, 0.922), 0.9, 4.9))
        if rng.random() < 0.5:
            lines.append(Line("样张 内部流转", Box(0.4, 0.965, 0.6, 0.98), 0.9, 3.5))
    return make.transcript(), truth


def _title(make: Maker, title: str, rng: random.Random) -> None:
    lines = [title]
    if len(title) > 18:
        count = -(-len(title) // 18) + rng.choice((0, 1))
        cuts = sorted({round(len(title) * i / count) + rng.choice((-1, 0, 1)) for i in range(1, count)})
        lines = [title[a:b] for a, b in zip([0, *cuts], [*cuts, len(title)], strict=True)]
    for line in lines:
        if len(line) > 8 and rng.random() < 0.1:
            # a line torn in two pieces
            make.row(line, size=7.7)
            whole = make.pages[-1].pop()
            middle = whole.box.left + (whole.box.right - whole.box.left) * 6 / len(line)
            for text, a, b in (
                (line[:6], whole.box.left, middle),
                (line[6:], middle + 0.004, whole.box.right),
            ):
                make.pages[-1].append(
                    Line(text, Box(a, whole.box.top, b, whole.box.bottom), 0.97, 7.7, "black")
                )
        else:
            make.row(line, size=7.7)


_CN = "〇一二三四五六七八九"


def _chinese(day: date) -> str:
    def small(number: int) -> str:
        tens, ones = divmod(number, 10)
        return ("" if not tens else "十" if tens == 1 else _CN[tens] + "十") + (_CN[ones] if ones else "")

    return "".join(_CN[int(c)] for c in str(day.year)) + f"年{small(day.month)}月{small(day.day)}日"


def _plain(text: str | None) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text or ""))


def differences(fields: OfficialFields, truth: dict[str, object]) -> list[str]:
    """Names of the fields that are not exactly as they should be."""
    wrong = []
    for name in ("serials", "urgency", "organs", "signers", "kind", "signed_date", "printed_date"):
        if getattr(fields, name) != truth[name]:
            wrong.append(name)
    for name in ("doc_number", "title"):
        if _plain(getattr(fields, name)) != _plain(str(truth[name])):
            wrong.append(name)
    for name in ("copied_to", "attachments"):
        if tuple(map(_plain, getattr(fields, name))) != tuple(map(_plain, truth[name])):  # type: ignore[call-overload]
            wrong.append(name)
    if re.sub("[,、]", "", _plain("".join(fields.recipients))) != re.sub(
        "[,、]", "", _plain(str(truth["to"]))
    ):
        wrong.append("recipients")
    if (_plain(fields.note) or None) != truth["note"]:
        wrong.append("note")
    return wrong


@pytest.mark.req("R-023")
def test_random_papers_give_every_field() -> None:
    wrong: list[str] = []
    for seed in range(300):
        made, truth = compose(seed)
        wrong += [f"{seed}:{name}" for name in differences(extract(made), truth)]
    assert len(wrong) <= 0.005 * 300 * 12, wrong
