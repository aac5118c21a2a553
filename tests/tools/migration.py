"""Writes the first schema's revisions from the tables, as explicit `op.create_table` calls.

Only until the first release: from then on these stay, and a change of the tables is a new revision, by hand.
`--write` writes them; without it, says whether they are up to date.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateIndexOp
from sqlalchemy import MetaData, TextClause, create_engine

sys.path.insert(0, str(Path(__file__).parent))
from tree import ROOT

VERSIONS = ROOT / "models/migrations/versions"
CIRCULATION = frozenset(
    {"approvals", "approval_acts", "circle_members", "copies", "clear_places", "holds", "incidents"}
)
HEAD = '''"""{title}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
'''
MIDDLE = '''

def downgrade() -> None:
    """Takes the tables away, with their content."""
'''


def _group(mapped: Any) -> str:
    for module in ("destruction", "desk", "learning", "access"):
        if mapped.class_.__module__.endswith(f"tables_{module}"):
            return module
    return "circulation" if mapped.local_table.name in CIRCULATION else "first"


PARTS = (
    ("0001", "first", None, "First schema, part one: station, ledger, people, what arrives."),
    (
        "0002",
        "circulation",
        "0001",
        "First schema, part two: approvals, circles, copies, holds, incidents.",
    ),
    (
        "0003",
        "destruction",
        "0002",
        "First schema, part three: destruction, certificates, policies, backups.",
    ),
    ("0004", "desk", "0003", "First schema, part four: movements, timers, matters."),
    ("0005", "learning", "0004", "First schema, part five: models made of the station's own documents."),
    ("0006", "access", "0005", "First schema, part six: who came to know what, and deputies."),
)


def texts() -> dict[Path, str]:
    """Each revision's file and its source for the tables as they stand, formatted."""
    from jiyao.models.partial_index import say_for_postgresql
    from jiyao.models.tables import Base

    for table in Base.metadata.tables.values():
        for index in table.indexes:
            say_for_postgresql(index)
    groups = {mapper.local_table.name: _group(mapper) for mapper in Base.registry.mappers}
    sources: dict[Path, str] = {}
    for revision, group, down, title in PARTS:
        members = [table.name for table in Base.metadata.sorted_tables if groups[table.name] == group]
        source = HEAD.format(title=title, revision=revision, down=f'"{down}"' if down else None)
        source += _body(_creation(Base.metadata, frozenset(members))) + MIDDLE
        source += "".join(f'    op.drop_table("{name}")\n' for name in reversed(members))
        target = VERSIONS / f"{revision}_{group}.py"
        sources[target] = subprocess.run(
            [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(target), "-"],
            input=source, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return sources


def _creation(metadata: MetaData, members: frozenset[str]) -> str:
    def wanted(item: Any, _name: Any, kind: str, *_rest: Any) -> bool:
        return kind != "table" or item.name in members

    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": wanted})
        with warnings.catch_warnings():
            # indexes over expressions, which are added below
            warnings.filterwarnings(
                "ignore", message="autogenerate skipping metadata-specified expression-based"
            )
            operations = produce_migrations(context, metadata).upgrade_ops
        assert operations is not None
        for table in sorted(members):
            for index in sorted(metadata.tables[table].indexes, key=lambda index: str(index.name)):
                if any(isinstance(part, TextClause) for part in index.expressions):
                    operations.ops.append(CreateIndexOp.from_index(index))
        return render_python_code(operations, migration_context=context)


def _body(rendered: str) -> str:
    lines = [line for line in rendered.splitlines() if not line.strip().startswith("#")]
    return "\n".join(f"    {line.strip()}" if line.strip() else "" for line in lines) + "\n"


def stale() -> list[str]:
    """Names of the revisions that no longer say what the tables say."""
    return [
        path.name
        for path, source in texts().items()
        if not path.is_file() or path.read_text("utf-8") != source
    ]


def main() -> int:
    """Writes the revisions, or says which must be."""
    if "--write" in sys.argv:
        for path, source in texts().items():
            path.write_text(source, "utf-8")
        return 0
    for name in stale():
        print(f"{name} is older than the tables: run make migration")
    return 1 if stale() else 0


if __name__ == "__main__":
    sys.exit(main())
