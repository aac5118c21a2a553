"""Makes a plain paper into one of the forms that rooms receive: joint issue, annexes, company numbers, long papers.

Kept apart from `make_paper`, whose papers stay the same for the same seed.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from .grammar import book, chinese_date, expand, person
from .make import make_paper
from .paper import Annex, Block, Paper, Split

_CODES = {"train": ("HR", "CW", "XZ"), "test": ("JY", "QA", "ZJ")}
"""Letters before a company's own numbers."""
_ONES = "一二三四五六七八九"


def make_rich(seed: int, split: Split) -> Paper:
    """The paper of a seed in one of its forms; the same for the same arguments."""
    return vary(make_paper(seed, split), seed=seed)


def vary(paper: Paper, *, seed: int) -> Paper:
    """The paper with what chance adds to it. Its truth (fields, findings) is kept right."""
    rng = random.Random(f"forms:{paper.split}:{seed}")
    alone = paper.profile == "organ" and len(paper.letterhead) == 1
    if alone and paper.layout in ("standard", "upward") and rng.random() < 0.15:
        paper = with_joint(paper, rng)
    if paper.layout == "company" and rng.random() < 0.6:
        paper = as_company_form(paper, rng)
    if paper.layout in ("standard", "upward", "company", "letter") and rng.random() < 0.3:
        paper = with_annexes(paper, rng, count=rng.choice((1, 1, 2, 3)))
    return paper


def with_joint(paper: Paper, rng: random.Random, *, count: int | None = None) -> Paper:
    """Issued by two to four organs: all in letterhead, title and signature, with as many signers upward."""
    organs = book(paper.split).organs[paper.profile]
    words = book(paper.split).words
    own = paper.fields.organs[:1]
    others = [
        name for name, _ in organs[paper.origin] if name not in own and name not in paper.fields.recipients
    ]
    names = (*own, *rng.sample(others, k=min(len(others), (count or rng.choice((2, 2, 3, 4))) - 1)))
    fields = paper.fields
    title = fields.title or ""
    if paper.layout == "standard" and own and title.startswith(own[0]):
        title = " ".join(names) + title.removeprefix(own[0]).lstrip()
    signers = fields.signers
    if signers:
        signers = (*signers[:1], *(person(rng, words) for _ in names[1:]))
    copied = tuple(name for name in fields.copied_to if name not in names)
    changed = replace(fields, organs=names, title=title, signers=signers, copied_to=copied)
    return replace(paper, letterhead=names, fields=changed)


def as_company_form(paper: Paper, rng: random.Random) -> Paper:
    """A company's own number (`HR-2024-015`), perhaps a black letterhead and a running head."""
    signed = paper.fields.signed_date
    year = signed.year if signed else 2024
    number = f"{rng.choice(_CODES[paper.split])}-{year}-{rng.randint(1, 180):03d}"
    return replace(
        paper,
        fields=replace(paper.fields, doc_number=number),
        red_head=rng.random() < 0.5,
        running_head=f"{paper.letterhead[0]}　{number}" if rng.random() < 0.5 else "",
    )


def with_annexes(paper: Paper, rng: random.Random, *, count: int) -> Paper:
    """Annexes with tables, numbers and dates later than the date of issue."""
    words = book(paper.split).words
    titles = rng.sample(words["annex"], k=count)
    annexes = [Annex(title, _annex_body(paper, rng)) for title in titles]
    if paper.profile != "organ" and rng.random() < 0.6:
        titles[-1] = rng.choice(words["form"])
        annexes[-1] = Annex(titles[-1], _form_body(paper, rng))
    return replace(paper, annexes=tuple(annexes), fields=replace(paper.fields, attachments=tuple(titles)))


def _annex_body(paper: Paper, rng: random.Random) -> tuple[Block, ...]:
    words = book(paper.split).words
    signed = paper.fields.signed_date or date(2024, 5, 1)

    def say(text: str) -> str:
        return expand(text, rng=rng, words=words, fixed={})

    head = tuple(rng.choice(words["annex_head"]).split("|"))
    items = rng.sample(words["annex_item"], k=rng.randint(4, 8))
    offices = words["dept" if paper.split == "train" else "bureau"]
    rows = [head]
    for number, item in enumerate(items, 1):
        day = signed + timedelta(days=rng.randint(20, 300))
        last = f"{day.year}年{day.month}月{day.day}日" if head[3] in ("完成时限", "截止日期") else "—"
        third = rng.choice(offices) if last != "—" else str(rng.randint(2, 900))
        rows.append((str(number), item, third, last))
    sentences = [Block(kind="para", text=f"{i}.{say(rng.choice(words['annex_text']))}") for i in (1, 2)]
    table = Block(kind="table", rows=tuple(rows))
    return rng.choice(((table,), (*sentences, table), (table, *sentences), tuple(sentences)))


def _form_body(paper: Paper, rng: random.Random) -> tuple[Block, ...]:
    """A form to be filled in: labels and values in four columns, some values empty, tick boxes below."""
    words = book(paper.split).words
    labels = rng.sample(words["form_label"], k=6)
    values = [rng.choice((person(rng, words), f"{rng.randint(1, 99)}号", "")) for _ in labels]
    cells = [cell for pair in zip(labels, values, strict=True) for cell in pair]
    rows = tuple(tuple(cells[i : i + 4]) for i in range(0, len(cells), 4))
    return Block(kind="table", rows=rows), *(Block(kind="ticks", text=text) for text in words["form_tick"])


def make_long(seed: int, split: Split, *, pages: int) -> Paper:
    """A paper of about so many pages: many chapters, three annexes; the fields stay those of `make_paper`."""
    rng = random.Random(f"long:{split}:{seed}")
    paper = make_paper(seed, split, layout="standard")
    body = list(paper.body[:1])
    others = [make_paper(rng.randrange(1 << 20), split) for _ in range(pages * 4)]
    rows = 0
    for number, other in enumerate(others):
        if rows > 20 * pages:
            break
        text = [block.text for block in other.body if block.kind in ("para", "sub") and len(block.text) > 20]
        if text:
            body.append(Block(kind="head", text=f"{_counted(number + 1)}、{other.fields.kind}事项的有关安排"))
            body += [Block(kind="para", text=part) for part in text]
            rows += 1 + sum(1 + len(part) // 27 for part in text)
    return with_annexes(replace(paper, body=tuple(body)), rng, count=3)


def _counted(number: int) -> str:
    tens, ones = divmod(number, 10)
    return ("" if not tens else "十" if tens == 1 else _ONES[tens - 1] + "十") + (
        _ONES[ones - 1] if ones else ""
    )


def numbered(paper: Paper, serial: int) -> Paper:
    """Another original of the same paper: the same words under another 份号."""
    return replace(paper, id=f"{paper.id}-{serial}", fields=replace(paper.fields, serials=(f"{serial:06d}",)))


def new_version(paper: Paper, *, seed: int) -> Paper:
    """The paper issued anew under the same title and number: a later date and one more sentence in the body."""
    rng = random.Random(f"version:{paper.split}:{seed}")
    assert paper.fields.signed_date is not None
    day = paper.fields.signed_date + timedelta(days=rng.randint(5, 40))
    text = f"{day.year}年{day.month}月{day.day}日"
    if paper.layout == "old":
        text = chinese_date(day.year, day.month, day.day)
    printed = day + timedelta(days=2) if paper.fields.printed_date else None
    extra = Block(
        kind="para", text=f"前发文本同时作废，以本件为准，执行中的情况每{rng.randint(2, 9)}日报告一次。"
    )
    return replace(
        paper, id=f"{paper.id}-v2", body=(*paper.body, extra), date_text=text,
        fields=replace(paper.fields, signed_date=day, printed_date=printed),
    )  # fmt: skip
