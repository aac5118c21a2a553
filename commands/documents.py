"""The register: list, show, read, export, appraise."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..common.errors import UsageFault
from ..common.paging import MOST
from ..pipeline.intake import carrier_scans
from ..pipeline.levels.level_change import KINDS as CHANGES
from ..pipeline.levels.level_expiry import OUTCOMES
from ..pipeline.levels.term_events import HAPPENINGS, record
from ..pipeline.papers import appraisal, exports
from ..pipeline.papers import documents as register
from . import show
from .frame import DATE, FIELD, FILE, LEVEL, Room, argument, bounded, enter, exclusive, option

documents = Room("documents")
_LEVEL_MATTERS = {
    "notice": "level_notice", "suggest": "level_suggestion", "claim": "level_dispute", "unclear": "level_unclear",
    "outcome": "level_review",
}  # fmt: skip
"""Which option opens which matter; without one of them it is a change of an own determination."""
_COLUMNS = (
    "id", "status", "level", "secrecy_period", "retention", "doc_number", "title", "organ", "date", "must_review",
)  # fmt: skip


@documents.command("list")
@option("--status", metavar="CODE")
@option("--level", type=LEVEL, metavar="LEVEL")
@option("--batch", metavar="B")
@option("--organ", metavar="TEXT")
@option("--query", metavar="TEXT")
@bounded()
@option("--offset", type=click.IntRange(min=0), default=0, metavar="N")
@option("--after", metavar="DOC")
def documents_list(limit: int, offset: int, after: str | None, **wanted: Any) -> None:
    def work() -> show.Ask:
        station, actor = enter("documents")

        def ask(**page: Any) -> dict[str, Any]:
            skipped = offset if page["after"] == after else 0
            return register.list_documents(
                station, actor, offset=skipped, whole=not 0 < limit <= MOST, **wanted, **page
            )

        return ask

    show.listing(work, "documents", lambda value: draw_list(value["documents"]), limit=limit, after=after)


@documents.command("show")
@argument("document", metavar="DOC")
def documents_show(document: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("documents")
        return register.show_document(station, actor, document=document)

    show.run(work, draw_document)


@documents.command("text")
@argument("document", metavar="DOC")
@option("--carrier", metavar="Z")
@option("--purpose", metavar="T")
def documents_text(document: str, carrier: str | None, purpose: str | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("text")
        if carrier is not None:
            return carrier_scans.text_of_scan(
                station, actor, document=document, carrier=carrier, purpose=purpose
            )
        return register.text_of(station, actor, document=document, purpose=purpose)

    show.run(work, _draw_text)


@documents.command("readers")
@argument("document", metavar="DOC")
@bounded()
@option("--after", metavar="N")
def documents_readers(document: str, limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        station, actor = enter("documents.readers")
        from ..pipeline.persons import readers

        return partial(readers.readers_of, station, actor, document=document)

    keys = ("at", "person", "name", "act", "rule", "purpose")
    show.listing(work, "readers", show.rows("readers", keys), limit=limit, after=after)


@documents.command("export")
@argument("document", metavar="DOC")
@option("--out", required=True, type=FILE, metavar="F")
@option("--searchable", is_flag=True)
@option("--carrier", metavar="Z")
def documents_export(document: str, out: Path, **chosen: Any) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("export")
        return exports.export_document(station, actor, document=document, out=out, **chosen)

    show.run(work, show.record)


@documents.command("appraise")
@argument("document", metavar="DOC")
@option("--reason", required=True, metavar="T")
def documents_appraise(document: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("appraise")
        return appraisal.appraise(station, actor, document=document, reason=reason)

    show.run(work, draw_document)


@documents.command("amend")
@argument("document", metavar="DOC")
@option("--field", "fields", multiple=True, required=True, type=FIELD, metavar="N=V")
@option("--reason", required=True, metavar="T")
def documents_amend(document: str, fields: tuple[tuple[str, str], ...], reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("amend")
        from ..pipeline.review import mending

        return mending.amend(station, actor, document=document, fields=dict(fields), reason=reason)

    show.run(work, draw_document)


@documents.command("void")
@argument("document", metavar="DOC")
@option("--reason", required=True, metavar="T")
@option("--replaced-by", metavar="D")
def documents_void(document: str, reason: str, replaced_by: str | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("void")
        from ..pipeline.review import mending

        return mending.void(station, actor, document=document, reason=reason, replaced_by=replaced_by)

    show.run(work, draw_document)


@documents.command("archive")
@argument("document", metavar="DOC")
@option("--place", required=True, metavar="P")
@option("--number", metavar="N")
def documents_archive(document: str, place: str, number: str | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("archive")
        from ..pipeline.papers import archiving

        return archiving.archive(station, actor, document=document, place=place, number=number)

    show.run(work, draw_document)


@documents.command("handover")
@argument("document", metavar="DOC")
@option("--to", required=True, metavar="ORGAN")
@option("--receipt-no", default="", metavar="N")
@option("--with", "carried_by", multiple=True, metavar="PERSON")
def documents_handover(document: str, to: str, receipt_no: str, carried_by: tuple[str, ...]) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("handover")
        from ..pipeline.papers import archiving

        return archiving.hand_over(
            station, actor, document=document, to=to, receipt_no=receipt_no, carried_by=carried_by
        )

    show.run(work, draw_document)


@documents.command("slip")
@argument("document", metavar="DOC")
@option("--out", required=True, type=FILE, metavar="F")
def documents_slip(document: str, out: Path) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("documents.slip")
        # the drawing libraries load in half a second
        from ..pipeline.papers import handling_slip

        return handling_slip.write_slip(station, actor, document=document, out=out)

    show.run(work, show.record)


@documents.command("compile")
@option("--from", "sources", multiple=True, required=True, metavar="D")
@option("--title", required=True, metavar="T")
@option("--excerpt", is_flag=True)
@option("--copies", type=click.IntRange(min=1, max=9999), default=1, metavar="K")
def documents_compile(sources: tuple[str, ...], title: str, excerpt: bool, copies: int) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("documents.compile")
        from ..pipeline.papers import compiling

        kind = "excerpt" if excerpt else "compile"
        return compiling.compile_documents(
            station, actor, sources=sources, title=title, kind=kind, copies=copies
        )

    show.run(work, draw_document)


@documents.command("release")
@argument("document", metavar="DOC")
@option("--way", required=True, type=click.Choice(["publish", "provide_external", "relay"]))
@option("--to", required=True, metavar="T")
@option("--form", required=True, type=click.Choice(["paper", "oral", "electronic"]))
@option("--agreement", metavar="N")
@option("--receipt-no", metavar="N")
def documents_release(**given: Any) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("documents.release")
        from ..pipeline.papers import leaving

        return leaving.release(station, actor, **given)

    show.run(work, lambda value: show.record(value["release"]))


@documents.command("event")
@argument("document", metavar="DOC")
@argument("happening", metavar="EVENT", type=click.Choice(HAPPENINGS))
@option("--on", required=True, type=DATE, metavar="DATE")
@option("--until", type=DATE, metavar="DATE")
@option("--notice", metavar="N")
@option("--reason", required=True, metavar="T")
def documents_event(**given: Any) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("documents.event")
        return record(station, actor, **given)

    show.run(work, draw_document)


@documents.command("level")
@argument("document", metavar="DOC")
@option("--change", type=click.Choice(CHANGES), metavar="KIND")
@option("--level", type=LEVEL, metavar="LEVEL")
@option("--period", metavar="P")
@option("--until", type=DATE, metavar="DATE")
@option("--scope", multiple=True, metavar="PERSON")
@option("--basis", metavar="T")
@option("--special", metavar="T")
@option("--notice", metavar="N")
@option("--organ", metavar="O")
@option("--on", type=DATE, metavar="DATE")
@option("--suggest", is_flag=True)
@option("--claim", multiple=True, type=LEVEL, metavar="LEVEL")
@option("--unclear", is_flag=True)
@option("--outcome", type=click.Choice(OUTCOMES), metavar="O")
@option("--decide", is_flag=True)
@option("--refuse", is_flag=True)
@option("--matter", metavar="M")
@option("--reason", metavar="T")
def documents_level(document: str, **given: Any) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.levels import level_book

        said = {name: given.pop(name) for name in ("notice", "suggest", "claim", "unclear", "outcome")}
        exclusive(decide=given["decide"], refuse=given["refuse"], **said)
        if not (given["decide"] or given["refuse"] or given["change"] or any(said.values())):
            raise UsageFault("nothing_to_set")
        station, actor = enter("documents.level")
        matter, result = given.pop("matter"), "refused" if given["refuse"] else "done"
        if given.pop("decide") | given.pop("refuse"):
            return level_book.decide(
                station, actor, document=document, result=result, reason=given["reason"], matter=matter
            )
        kind = next((name for option_, name in _LEVEL_MATTERS.items() if said[option_]), "level_change")
        words = {
            **given, "notice": said["notice"], "outcome": said["outcome"], "scope": "、".join(given["scope"]),
            "claims": "、".join(level.value for level in said["claim"]),
            "level": given["level"].value if given["level"] else None,
            "until": given["until"].isoformat() if given["until"] else None,
            "date": given.pop("on").isoformat() if given["on"] else None,
        }  # fmt: skip
        words.pop("on", None)
        return level_book.propose(station, actor, kind=kind, document=document, words=words)

    show.run(work, _draw_level)


@documents.command("rescan")
@argument("document", metavar="DOC")
@argument("path", metavar="PATH", type=FILE)
@option("--pages", metavar="P")
def documents_rescan(document: str, path: Path, pages: str | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("rescan")
        # workers, and the libraries they are watched with, are loaded by none of the other commands
        from ..pipeline.review import rescan

        return rescan.rescan(station, actor, document=document, path=path, pages=pages)

    show.run(work, draw_document)


def _draw_level(value: dict[str, Any]) -> None:
    draw_document({name: item for name, item in value.items() if name not in ("matter", "mark")})
    show.record({f"mark_{name}": item for name, item in value["mark"].items()})
    show.record(value["matter"])


def draw_list(rows: list[dict[str, Any]]) -> None:
    """Documents, a row each; a provisional level is said to be one."""
    show.table(_COLUMNS, [[_column(row, name) for name in _COLUMNS] for row in rows])


def draw_document(value: dict[str, Any]) -> None:
    """One document, with the evidence for its level and retention."""
    plain = {name: item for name, item in value.items() if not isinstance(item, list) or item == []}
    plain |= {
        name: value[name] for name in ("serials", "recipients", "copied_to", "copies", "holds", "overlays")
    }
    plain["status"], plain["level"] = _column(value, "status"), _column(value, "level")
    show.record(plain)
    for name in (
        "doubts",
        "evidence",
        "field_evidence",
        "findings",
        "carriers",
        "cleartext_history",
        "history",
    ):
        if rows := value.get(name):
            keys = list(dict.fromkeys(key for row in rows for key in row if key not in ("box", "crop")))
            show.table(keys, [[row.get(key) for key in keys] for row in rows], title=show.label(name))


def _column(row: dict[str, Any], name: str) -> Any:
    if name == "status":
        return show.status_word(row["status"])
    if name == "level" and row["level"] is None and row["interim_level"]:
        return f"({row['interim_level']})"
    return row[name]


def _draw_text(value: dict[str, Any]) -> None:
    for page in value["pages"]:
        show.closing("page_heading", number=page["number"], confidence=f"{page['confidence']:.0%}")
        for line in page["text"].splitlines():
            show.plain(line)
