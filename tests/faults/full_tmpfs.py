"""Run inside `unshare -m`: a station whose home, or whose scratch folder, is a file system too small for the batch.

Arguments: `home` or `scratch`, the station's base folder, the inbox. Prints one JSON value: the answers of a run on the
full disk and of one after there was room again, and whether the station is whole.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ingest_kit import check_whole, counts
from jiyao.models.level import Level
from jiyao.pipeline.intake.inbox import files_of
from jiyao.pipeline.intake.runner import BatchRun, Request
from room_kit import Room

MEMORY = Path("/dev/shm")


def mount(place: Path, size: str, *options: str) -> None:
    """A small file system in memory at `place`."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join((f"size={size}", *options)), "tmpfs", str(place)], check=True
    )


def run(room: Room, inbox: Path, *, fill: Path | None = None, engine: str = "auto") -> dict[str, object]:
    """One batch; with `fill`, a folder whose last byte is taken once the batch has its scratch."""
    with BatchRun(room.station, room.as_("clerk", "ingest"), Request(engine=engine)) as batch:
        if fill is not None:
            take_all(fill)
        batch.process(files_of([inbox]))
        answer = batch.answer()
    return {"counts": counts(answer), "problems": answer["problems"]}


def take_all(folder: Path) -> None:
    """Writes a file until there is no room left."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            return


def main(what: str, base: Path, inbox: Path) -> None:
    """See above."""
    if what == "home":
        kept = base / "kept"
        Room(base, Level.COMPANY_TOP).station.engine.dispose()
        shutil.move(base / "home", kept)
        (base / "home").mkdir(mode=0o700)
        used = int(subprocess.check_output(["du", "-sk", str(kept)]).split()[0])
        mount(base / "home", f"{used + 700}k", "mode=700")
        shutil.copytree(kept, base / "home", dirs_exist_ok=True)
        first = run(Room(base, Level.COMPANY_TOP), inbox)
        subprocess.run(["mount", "-o", "remount,size=128m", str(base / "home")], check=True)
        second = run(Room(base, Level.COMPANY_TOP), inbox)
    else:
        mount(MEMORY, "70m", "mode=1777")
        first = run(Room(base, Level.COMPANY_TOP), inbox, fill=MEMORY, engine="tesseract")
        (MEMORY / "filler").unlink()
        second = run(Room(base, Level.COMPANY_TOP), inbox, engine="tesseract")
    room = Room(base, Level.COMPANY_TOP)
    check_whole(room)
    json.dump({"full": first, "again": second}, sys.stdout, default=list)


if __name__ == "__main__":
    os.umask(0o077)
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
