"""First schema, part three: destruction, certificates, policies, backups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "backups",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "destructions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("phase", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column("proposed_at", sa.String(length=32), nullable=False),
        sa.Column("list_json", sa.LargeBinary(), nullable=False),
        sa.Column("list_sha256", sa.String(length=64), nullable=False),
        sa.Column("approval_expires", sa.String(length=10), nullable=True),
        sa.Column("epoch_before", sa.Integer(), nullable=True),
        sa.Column("epoch_after", sa.Integer(), nullable=True),
        sa.Column("outcomes", sa.LargeBinary(), nullable=True),
        sa.Column("verdict", sa.String(length=32), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_destructions_state"), "destructions", ["state"], unique=False)
    op.create_table(
        "policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=48), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("items_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=True),
        sa.Column("leader", sa.String(length=64), nullable=True),
        sa.Column("author_statement", sa.LargeBinary(), nullable=True),
        sa.Column("author_signature", sa.LargeBinary(), nullable=True),
        sa.Column("statement", sa.LargeBinary(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "certificates",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("destruction_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=True),
        sa.Column("pdf_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destruction_id"],
            ["destructions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("destruction_id"),
    )
    op.create_table(
        "destruction_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("destruction_id", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destruction_id"],
            ["destructions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_destruction_acts_destruction_id"), "destruction_acts", ["destruction_id"], unique=False
    )
    op.create_table(
        "destruction_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("destruction_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("level_code", sa.String(length=2), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destruction_id"],
            ["destructions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_destruction_items_destruction_id"), "destruction_items", ["destruction_id"], unique=False
    )
    op.create_index(op.f("ix_destruction_items_item_id"), "destruction_items", ["item_id"], unique=False)
    op.create_index("ix_destruction_items_open", "destruction_items", ["item_id", "open"], unique=False)


def downgrade() -> None:
    """Takes the tables away, with their content."""
    op.drop_table("destruction_items")
    op.drop_table("destruction_acts")
    op.drop_table("certificates")
    op.drop_table("policies")
    op.drop_table("destructions")
    op.drop_table("backups")
