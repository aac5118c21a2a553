"""OFD in the room: made-up papers read as their PDF is, real files as they look, one file from inbox to copy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jiyao.common import fonts
from jiyao.common.errors import MissingTool
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.fault import FormatFault
from jiyao.formats.open import open_document
from jiyao.models.fields import OfficialFields
from jiyao.models.page import Page, Transcript
from jiyao.samples.make import make_paper
from jiyao.samples.render import render
from jiyao.stages.cut import cut
from jiyao.stages.extract import extract
from room import Room

SEEDS = range(10)


def have_fonts() -> bool:
    try:
        fonts.faces()
    except MissingTool:
        return False
    return True


needs_fonts = pytest.mark.skipif(not have_fonts(), reason="no Chinese font on this machine")


def transcript(data: bytes) -> Transcript:
    opened = open_document(data, limits=DEFAULT_LIMITS)
    try:
        pages = tuple(
            Page(n, *opened.size_mm(n), opened.text_lines(n) or (), "text_layer", "text-layer", 1.0)
            for n in range(1, opened.page_count + 1)
        )
        return Transcript(pages, opened.findings)
    finally:
        opened.close()


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def told(fields: OfficialFields) -> dict[str, object]:
    """The fields as values, without where they were found."""
    names = [name for name in fields.__dataclass_fields__ if name != "evidence"]
    return {name: getattr(fields, name) for name in names}


@needs_fonts
@pytest.mark.req("R-023")
@pytest.mark.parametrize("seed", SEEDS)
def test_every_paper_reads_as_its_born_digital_pdf(seed: int) -> None:
    paper = make_paper(seed, "train" if seed % 2 else "test")
    ofd, pdf = transcript(render(paper, "ofd")), transcript(render(paper, "pdf"))
    assert ofd.findings == ()
    assert [squeezed(page.text) for page in ofd.pages] == [squeezed(page.text) for page in pdf.pages]
    text = squeezed(ofd.text)
    for value in (paper.fields.doc_number, paper.fields.title, paper.mark_text, *paper.fields.recipients):
        assert squeezed(value or "") in text
    assert told(extract(ofd)) == told(extract(pdf))


@needs_fonts
def test_pages_cut_from_a_stack_are_drawn() -> None:
    data = render(make_paper(7, "train"), "ofd")
    opened = open_document(data, limits=DEFAULT_LIMITS)
    assert opened.page_count == 2
    piece = open_document(cut(opened, data, pages=[2], limits=DEFAULT_LIMITS), limits=DEFAULT_LIMITS)
    assert (piece.kind, piece.page_count) == ("pdf", 1)
    assert piece.size_mm(1) == pytest.approx((210, 297), abs=0.5)


REAL = {
    "167_20240531141733.ofd": (
        "none",
        {"ofd_notes_shown", "ofd_custom_tags", "hidden_text"},
        ["电子发票（增值税专用发票）", "24112000000048542163", "2024年05月28日", "海南麒麟云服科技有限公司",
         "91460300MAA92DJN95", "91110108690017781B", "*信息技术服务*技术服务", "肆仟肆佰肆拾玖圆整", "下载次数：1"],
    ),
    "195_fptpl.ofd": (
        "none",
        {"ofd_signature_lost"},
        ["重庆增值税电子普通发票", "050001700111", "16630 28298 09915 10014", "00/2-7<054/18*88<*<1/689++>3",
         "北京市海淀区颐和园西路一亩园11号", "购买方", "密码区"],
    ),
    "206_DigitalSign.ofd": ("present", {"ofd_signature_stated"}, ["你好呀，OFD Reader&Writer！"]),
    "214_page3.ofd": ("none", set(), ["3"]),
}  # fmt: skip


@pytest.mark.req("R-004")
@pytest.mark.parametrize("name", sorted(REAL))
def test_real_files_say_what_they_show(shared: Path, name: str) -> None:
    signature, findings, words = REAL[name]
    opened = open_document((shared / "data/torture/ofd" / name).read_bytes(), limits=DEFAULT_LIMITS)
    assert opened.page_count == 1
    text = "\n".join(line.text for line in opened.text_lines(1) or ())
    assert [word for word in words if word not in text] == []
    assert opened.signature == signature
    picture = opened.render(1, 100)
    assert 0.0004 < (picture.min(axis=2) < 200).mean() < 0.5
    assert {finding.code for finding in opened.findings} == findings


def test_a_signed_real_file_that_was_altered_is_noticed(shared: Path, tmp_path: Path) -> None:
    import zipfile

    source = shared / "data/torture/ofd/206_DigitalSign.ofd"
    changed = tmp_path / "changed.ofd"
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace("你好".encode(), "再见".encode()))
    opened = open_document(changed.read_bytes(), limits=DEFAULT_LIMITS)
    assert {finding.code: finding.detail for finding in opened.findings}["ofd_reference_altered"] == "1"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("empty.ofd", "empty_file"),
        ("ofd_laughs.ofd", "hostile_markup"),
        ("ofd_missing_docroot.ofd", "damaged_file"),
        ("ofd_not_zip.ofd", "damaged_file"),
    ],
)
def test_made_files_end_as_the_index_says(shared: Path, name: str, code: str) -> None:
    with pytest.raises(FormatFault) as caught:
        open_document((shared / "data/torture/made" / name).read_bytes(), limits=DEFAULT_LIMITS)
    assert (caught.value.code, caught.value.verdict) == (code, "damaged")


@needs_fonts
@pytest.mark.slow
@pytest.mark.req("R-023")
def test_an_ofd_goes_from_the_inbox_to_a_copy(tmp_path: Path) -> None:
    room = Room.make(tmp_path)
    paper = make_paper(7, "train")
    path = tmp_path / "letter.ofd"
    path.write_bytes(render(paper, "ofd"))
    document = room.take_in(path)
    assert (document["doc_number"], document["level"]) == (paper.fields.doc_number, "秘密")
    room.confirm(document["id"])
    assert room.show(document["id"])["title"] == squeezed(paper.fields.title or "")
    copy = room.issue(document["id"], "reader")[0]
    drawn = open_document(Path(copy["file"]).read_bytes(), limits=DEFAULT_LIMITS)
    assert drawn.page_count == 2
    page = drawn.render(1, 60)
    red = (page[..., 0] > 150) & (page[..., 1] < 90) & (page[..., 2] < 90)
    assert red[page.shape[0] // 4 : page.shape[0] // 2].mean() > 0.02  # the letterhead
