"""First schema, part four: movements, timers, matters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "matters",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=24), nullable=True),
        sa.Column("opened_at", sa.String(length=32), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("closed_at", sa.String(length=32), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_matters_document_id"), "matters", ["document_id"], unique=False)
    op.create_index("ix_matters_kind_opened", "matters", ["kind", "opened_at", "id"], unique=False)
    op.create_index("ix_matters_kind_state", "matters", ["kind", "state", "closed_at"], unique=False)
    op.create_index("ix_matters_opened", "matters", ["opened_at", "id"], unique=False)
    op.create_index("ix_matters_state_opened", "matters", ["state", "opened_at", "id"], unique=False)
    op.create_table(
        "movements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("object_kind", sa.String(length=12), nullable=False),
        sa.Column("object_id", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=True),
        sa.Column("act", sa.String(length=24), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=True),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("giver", sa.String(length=64), nullable=True),
        sa.Column("taker", sa.String(length=64), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=True),
        sa.Column("approval_id", sa.String(length=32), nullable=True),
        sa.Column("matter_id", sa.String(length=32), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_movements_act", "movements", ["act", "at"], unique=False)
    op.create_index(op.f("ix_movements_at"), "movements", ["at"], unique=False)
    op.create_index("ix_movements_document", "movements", ["document_id", "at", "act"], unique=False)
    op.create_index(
        "ix_movements_entered",
        "movements",
        ["object_kind", "at", "object_id"],
        unique=False,
        sqlite_where=sa.text("before IS NULL"),
        postgresql_where=sa.text("before IS NULL"),
    )
    op.create_index(op.f("ix_movements_giver"), "movements", ["giver"], unique=False)
    op.create_index(op.f("ix_movements_matter_id"), "movements", ["matter_id"], unique=False)
    op.create_index(op.f("ix_movements_object_id"), "movements", ["object_id"], unique=False)
    op.create_index(op.f("ix_movements_taker"), "movements", ["taker"], unique=False)
    op.create_table(
        "tallies",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("part", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("level_code", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(length=48), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "part", "name", "level_code", "state"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "timers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clock", sa.String(length=24), nullable=False),
        sa.Column("object_kind", sa.String(length=12), nullable=False),
        sa.Column("object_id", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=True),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("due", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", sa.String(length=32), nullable=True),
        sa.Column("incident_id", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_timers_document_id"), "timers", ["document_id"], unique=False)
    op.create_index(op.f("ix_timers_holder"), "timers", ["holder"], unique=False)
    op.create_index(op.f("ix_timers_object_id"), "timers", ["object_id"], unique=False)
    op.create_index("ix_timers_state_due", "timers", ["state", "due", "clock"], unique=False)
    op.create_table(
        "matter_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("matter_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("object_kind", sa.String(length=12), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=True),
        sa.Column("due", sa.String(length=32), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["matter_id"],
            ["matters.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_matter_items_matter_id"), "matter_items", ["matter_id"], unique=False)
    op.create_index(op.f("ix_matter_items_object_id"), "matter_items", ["object_id"], unique=False)
    op.create_table(
        "matter_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("matter_id", sa.String(length=32), nullable=False),
        sa.Column("step", sa.String(length=24), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["matter_id"],
            ["matters.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_matter_steps_matter_id"), "matter_steps", ["matter_id"], unique=False)


def downgrade() -> None:
    """Takes the tables away, with their content."""
    op.drop_table("matter_steps")
    op.drop_table("matter_items")
    op.drop_table("timers")
    op.drop_table("tallies")
    op.drop_table("movements")
    op.drop_table("matters")
