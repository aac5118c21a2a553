"""Makes one paper from a seed: template, organs, dates, mark, words, and the truth about them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

from ..models.fields import OfficialFields
from ..models.level import Level
from .grammar import Book, book, chinese_date, expand, id_number, mobile, person
from .marks import Drawn, draw_mark
from .paper import Block, Expected, Layout, Origin, Paper, Split

OLD_STYLE_ENDS = date(2012, 7, 1)
"""GB/T 9704-2012 came into force: mark at the left, dates in Arabic numerals, no 主题词."""
_HEADS = "一二三四五六七八九"


def make_paper(
    seed: int,
    split: Split,
    *,
    template: str | None = None,
    origin: Origin | None = None,
    layout: Layout | None = None,
    mark: str | None = None,
    signed: date | None = None,
) -> Paper:
    """The paper of a seed; the same arguments always give the same paper.

    Args:
        seed: any integer.
        split: whose wording, organs and templates to use; the two share none.
        template, origin, layout, mark, signed: fix what chance would choose (mark kinds: `samples/marks.py`).

    Raises:
        KeyError: for a template or mark kind that the split does not have.
    """
    rng = random.Random(f"{split}:{seed}")
    words = book(split)
    family = words.by_id[template] if template else rng.choice(words.families)
    chosen_layout = layout or cast(Layout, rng.choice(family["layouts"]))
    chosen_origin = origin or cast(Origin, rng.choice(family["origins"]))
    day = signed or _date_for(chosen_layout, rng)
    paper = _Maker(words, family, chosen_layout, chosen_origin, day, rng).make(mark, seed)
    return paper if chosen_layout != "old" else _as_old(paper)


def _date_for(layout: Layout, rng: random.Random) -> date:
    if layout == "old":
        return date(2000, 1, 1) + timedelta(days=rng.randint(0, 4400))
    return date(2013, 1, 1) + timedelta(days=rng.randint(0, 4700))


def _as_old(paper: Paper) -> Paper:
    signed = paper.fields.signed_date
    assert signed is not None
    text = chinese_date(signed.year, signed.month, signed.day)
    return replace(paper, date_text=text, subject_words=f"公文　处理　{paper.fields.kind}")


class _Maker:
    """Holds the choices of one paper while it is written."""

    def __init__(
        self,
        words: Book,
        family: Mapping[str, Any],
        layout: Layout,
        origin: Origin,
        signed: date,
        rng: random.Random,
    ) -> None:
        self.book, self.family, self.layout, self.origin, self.signed, self.rng = (
            words, family, layout, origin, signed, rng,
        )  # fmt: skip
        self.fixed = {name: rng.choice(words.words[name]) for name in family.get("fix", ())}
        self.profile = family["profile"]
        self.organs = words.organs[self.profile]
        self.organ, self.code = rng.choice(self.organs[origin])

    def say(self, text: str) -> str:
        return expand(text, rng=self.rng, words=self.book.words, fixed=self.fixed)

    def make(self, mark_kind: str | None, seed: int) -> Paper:
        rng, family = self.rng, self.family
        kinds = family["marks"]
        kind = mark_kind or rng.choices(list(kinds), weights=list(kinds.values()))[0]
        drawn = draw_mark(kind, family=family, signed=self.signed, owner=self._owner(), rng=rng)
        organs = self._joint() if family.get("joint") else (self.organ,)
        date_text = f"{self.signed.year}年{self.signed.month}月{self.signed.day}日"
        upward = self.layout == "upward"
        contact = (
            f"联系人：{person(rng, self.book.words)}，电话：{mobile(rng)}" if family["kind"] == "请示" else ""
        )
        fields = self._fields(drawn, organs, upward=upward, contact=contact)
        return Paper(
            id=f"{self.book.split}-{seed}",
            split=self.book.split,
            template=family["id"],
            profile=self.profile,
            layout=self.layout,
            unit=self.organs["unit"],
            origin=self.origin,
            letterhead=(family["letterhead"],)
            if "letterhead" in family and self.layout == "minutes"
            else organs,
            fields=fields,
            mark_text=drawn.text,
            date_text=date_text,
            body=self._body(),
            expected=self._expected(drawn, fields),
            seal=self.layout not in ("minutes", "order", "telegram", "plain"),
            printed_by=self._office() if fields.printed_date else "",
            signed_by=person(rng, self.book.words) if self.layout == "order" else "",
            contact=contact,
            telegram=self._telegram(fields) if self.layout == "telegram" else (),
        )

    def _owner(self) -> str:
        return str(self.organs["unit"])[:4] + ("集团" if "集团" in self.organs["unit"] else "")

    def _office(self) -> str:
        return self.organ if "办公" in self.organ else f"{self.organ}办公室"

    def _joint(self) -> tuple[str, ...]:
        others = [name for name, _ in self.organs[self.origin] if name != self.organ]
        return (self.organ, *self.rng.sample(others, k=self.rng.choice((1, 2))))

    def _title(self, organs: tuple[str, ...]) -> str:
        kind = self.family["kind"]
        matter = self.say(self.rng.choice(self.family["matter"]))
        if kind in ("合同", "试卷"):
            return matter
        if kind == "令":
            return f"{organs[0]}令"
        if kind in ("会议记录",):
            return f"{matter}记录" if matter.endswith("会议") else f"{matter}{kind}"
        about = f"关于{matter}的{kind}"
        return " ".join(organs) + about if self.layout in ("standard", "old", "telegram") else about

    def _fields(self, drawn: Drawn, organs: tuple[str, ...], *, upward: bool, contact: str) -> OfficialFields:
        rng, kind = self.rng, self.family["kind"]
        title = self._title(organs)
        level = drawn.mark.level if drawn.mark else None
        state = level is not None and level.family.value == "state"
        numbered = self.layout not in ("plain",)
        framed = self.layout in ("standard", "upward", "old")
        printed = self.signed + timedelta(days=rng.randint(0, 4)) if framed else None
        note = drawn.note
        if contact:
            note = contact
        return OfficialFields(
            serials=(f"{rng.randint(1, 120):06d}",)
            if state and self.layout not in ("plain", "telegram")
            else (),
            mark=drawn.mark,
            urgency=self._urgency(),
            organs=organs if kind != "试卷" else (),
            doc_number=self._number(kind) if numbered else None,
            signers=tuple(person(rng, self.book.words) for _ in organs) if upward else (),
            title=title,
            recipients=self._recipients(kind),
            copied_to=self._copied_to() if framed and rng.random() < 0.7 else (),
            signed_date=self.signed if kind != "试卷" else None,
            printed_date=printed,
            print_count=rng.choice((30, 50, 80, 120)) if state and framed and rng.random() < 0.4 else None,
            kind=kind,
            note=note,
            public_note=drawn.note is not None,
        )

    def _urgency(self) -> str | None:
        if self.layout == "telegram":
            return self.rng.choice(("特提", "特急", "加急", "平急"))
        if self.layout in ("standard", "upward", "letter"):
            return self.rng.choice((None, None, None, None, "特急", "加急"))
        return None

    def _number(self, kind: str) -> str:
        seq, year = self.rng.randint(1, 180), self.signed.year
        match self.layout:
            case "order":
                return f"第{seq}号"
            case "minutes":
                return f"第{seq}期"
            case "telegram":
                return f"{self.code}明电〔{year}〕{seq}号"
            case "letter":
                return f"{self.code}函〔{year}〕{seq}号"
            case _:
                tail = {"请示": "请", "报告": "报", "批复": "复"}.get(kind, "发")
                return f"{self.code}{tail}〔{year}〕{seq}号"

    def _recipients(self, kind: str) -> tuple[str, ...]:
        if self.layout in ("order", "minutes", "plain") or kind in ("决议", "合同", "试卷", "会议记录"):
            return ()
        if self.origin == "self":
            if self.profile == "organ":
                return tuple(name for name, _ in self.organs["subordinate"][:2])
            return (f"{self.organ}各部门",)
        if self.origin == "subordinate" or kind in ("函", "批复", "通报"):
            return (str(self.organs["self"][0][0]),)
        return (str(self.organs["self"][0][0]), str(self.organs["peer"][0][0]))

    def _copied_to(self) -> tuple[str, ...]:
        pool = [
            name for origin in ("superior", "peer") for name, _ in self.organs[origin] if name != self.organ
        ]
        return tuple(self.rng.sample(pool, k=min(len(pool), self.rng.choice((1, 2)))))

    def _body(self) -> tuple[Block, ...]:
        rng, family = self.rng, self.family
        blocks = [Block(kind="para", text=self.say(rng.choice(family["open"])))]
        points = list(family["points"])
        if len(points) > 2 and family.get("heads", True) and rng.random() < 0.4:
            points.remove(rng.choice(points[1:]))
        for index, point in enumerate(points):
            parts = [self.say(part) for part in point.split("｜")]
            if family.get("heads", True) and len(parts) > 1:
                blocks.append(Block(kind="head", text=f"{_HEADS[index]}、{parts[0]}"))
                if len(parts) > 2 and rng.random() < 0.35:
                    blocks += [
                        Block(kind="sub", text=f"（{_HEADS[i]}）{part}") for i, part in enumerate(parts[1:])
                    ]
                else:
                    blocks.append(Block(kind="para", text="".join(parts[1:])))
            elif family.get("heads", True) or family["kind"] == "试卷":
                blocks.append(Block(kind="para", text=f"{_HEADS[index]}、{parts[0]}"))
            else:
                blocks.append(Block(kind="para", text="".join(parts)))
        if "table" in family:
            blocks.append(_table(family["table"], self.book, rng))
        close = self.say(rng.choice(family["close"]))
        if close:
            blocks.append(Block(kind="para", text=close))
        if family.get("attend"):
            names = [person(rng, self.book.words) for _ in range(7)]
            blocks.append(Block(kind="item", text="出席：" + "　".join(names[:4])))
            blocks.append(Block(kind="item", text="列席：" + "　".join(names[4:])))
        return tuple(blocks)

    def _telegram(self, fields: OfficialFields) -> tuple[tuple[str, str], ...]:
        return (
            ("发往", "、".join(fields.recipients)),
            ("等级", fields.urgency or ""),
            ("签批盖章", person(self.rng, self.book.words)),
            ("部门号", fields.doc_number or ""),
            ("机号", f"{self.rng.randint(10, 99)}号"),
        )

    def _expected(self, drawn: Drawn, fields: OfficialFields) -> Expected:
        family, plain = self.family, self.family["plain"]
        retention = family.get("retention", {}).get(self.origin)
        common = {
            "overlays": tuple(plain.get("overlays", ())),
            "retention": retention,
            "retention_flags": tuple(family.get("flags", ())),
            "important": family.get("important"),
        }
        if drawn.mark is not None:
            findings = drawn.findings
            level = drawn.mark.level
            if level.family.value == "state" and level is not Level.STATE_CONFIDENTIAL and not fields.serials:
                findings = (*findings, "serial_missing")
            return Expected(
                level=level, basis="marked", period=drawn.mark.period, findings=findings, **common
            )
        interim = plain.get("interim")
        return Expected(
            level=Level(plain["level"]) if plain["level"] else None,
            interim=Level(interim) if interim else None,
            basis=plain["basis"],
            **common,
        )


def _table(name: str, words: Book, rng: random.Random) -> Block:
    rows: list[tuple[str, ...]]
    match name:
        case "finance":
            rows = [("项目", "本期数", "上期数", "增减")]
            for item in ("营业收入", "营业成本", "期间费用", "利润总额", "净利润"):
                now, before = rng.randint(200, 9800), rng.randint(200, 9800)
                rows.append(
                    (
                        item,
                        f"{now}.{rng.randint(10, 99)}",
                        f"{before}.{rng.randint(10, 99)}",
                        f"{now - before}",
                    )
                )
        case "wages":
            rows = [("姓名", "岗位", "月工资", "身份证号")]
            for _ in range(5):
                job = rng.choice(("操作工", "质检员", "会计", "司机", "仓管员"))
                rows.append((person(rng, words.words), job, str(rng.randint(35, 180) * 100), id_number(rng)))
        case _:
            illnesses = words.words["disease" if words.split == "train" else "illness"]
            rows = [("姓名", "住院号", "诊断", "身份证号", "电话")]
            for _ in range(6):
                who = person(rng, words.words)
                rows.append(
                    (
                        who,
                        str(rng.randint(100000, 999999)),
                        rng.choice(illnesses),
                        id_number(rng),
                        mobile(rng),
                    )
                )
    return Block(kind="table", rows=tuple(rows))
