"""The key tree as a whole, the mirrors of its root, and the room's SM2 key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..common.messages import say
from ..models.certificate_words import word
from ..pipeline.destruction import write_off
from ..pipeline.station import mirrors, rekey, sm2_key
from ..pipeline.station.root_events import FATES
from . import show
from .frame import FILE, Room, argument, current, enter, option, secrets

vault = Room("vault")
mirror = Room("mirror")
vault.add_command(mirror)


@vault.command("rekey")
def vault_rekey() -> None:
    show.run(lambda: rekey.rekey(*enter("vault.rekey")), show.record)


@vault.command("sm2")
@option("--out", type=FILE, metavar="CERT.pem")
def vault_sm2(out: Path | None) -> None:
    show.run(lambda: sm2_key.command(*enter("vault.sm2"), out=out), show.record)


@mirror.command("list")
def mirror_list() -> None:
    show.run(lambda: mirrors.listed(*enter("vault.mirror")), _draw_list)


@mirror.command("add")
@argument("place", metavar="DIR|pkcs11:URI")
def mirror_add(place: str) -> None:
    show.run(lambda: mirrors.add(*enter("vault.mirror.add"), place=place, secrets=secrets()), _draw)


@mirror.command("write-off")
@argument("place", metavar="DIR|pkcs11:URI")
@option("--fate", type=click.Choice(FATES), required=True)
@option("--reason", required=True, metavar="T")
@option("--single-root", is_flag=True)
def mirror_write_off(**given: Any) -> None:
    show.run(lambda: write_off.write_off(*enter("vault.mirror.write_off"), **given, secrets=secrets()), _draw)


def _draw(value: dict[str, Any]) -> None:
    show.record(value)
    if value["state"] == "waiting":
        show.closing("done_mirror_waiting", until=value["until"])
    if value.get("backup_due"):
        show.closing("done_mirror_backup_due")


def _draw_list(value: dict[str, Any]) -> None:
    lang = current().lang
    show.record(value, ("epoch", "class", "pending_batches"))
    show.table(
        ("number", "path", "root_class", "state", "epoch", "reasons"),
        [
            (
                one["number"], one["path"], one["class"], one["state"], one["epoch"],
                "；".join(say(code, lang) for code in one["reasons"]),
            )
            for one in value["roots"]
        ],
    )  # fmt: skip
    if value["written_off"]:
        show.table(
            ("path", "at", "fate", "epoch", "by", "confirmed"),
            [
                (
                    one["path"],
                    one["at"],
                    word("fate", one["fate"], lang),
                    one["epoch"],
                    one["by"],
                    one["confirmed"],
                )
                for one in value["written_off"]
            ],
        )
