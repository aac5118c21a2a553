"""First schema, part two: approvals, circles, copies, holds, incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("objects", sa.Text(), nullable=False),
        sa.Column("objects_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("needed", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.String(length=32), nullable=False),
        sa.Column("expires", sa.String(length=10), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=True),
        sa.Column("paper", sa.Boolean(), nullable=False),
        sa.Column("paper_slot", sa.String(length=32), nullable=True),
        sa.Column("paper_path", sa.Text(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_approvals_act"), "approvals", ["act"], unique=False)
    op.create_index("ix_approvals_requested", "approvals", ["requested_at", "id"], unique=False)
    op.create_index(op.f("ix_approvals_state"), "approvals", ["state"], unique=False)
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=True),
        sa.Column("copy_id", sa.String(length=40), nullable=True),
        sa.Column("level_code", sa.String(length=2), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_incidents_at"), "incidents", ["at"], unique=False)
    op.create_index(op.f("ix_incidents_document_id"), "incidents", ["document_id"], unique=False)
    op.create_table(
        "approval_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("approval_id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"],
            ["approvals.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_approval_acts_approval_id"), "approval_acts", ["approval_id"], unique=False)
    op.create_table(
        "circle_members",
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["persons.id"],
        ),
        sa.PrimaryKeyConstraint("document_id", "person_id"),
    )
    op.create_index("ix_circle_members_person", "circle_members", ["person_id", "document_id"], unique=False)
    op.create_table(
        "clear_places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("copy_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("grade", sa.String(length=24), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_clear_places_at"), "clear_places", ["at"], unique=False)
    op.create_index(op.f("ix_clear_places_copy_id"), "clear_places", ["copy_id"], unique=False)
    op.create_index(op.f("ix_clear_places_document_id"), "clear_places", ["document_id"], unique=False)
    op.create_table(
        "copies",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("forensic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("issued_at", sa.String(length=32), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("due", sa.String(length=10), nullable=True),
        sa.Column("approval_id", sa.String(length=32), nullable=True),
        sa.Column("out", sa.Boolean(), nullable=False),
        sa.Column("sent_in", sa.String(length=32), nullable=True),
        sa.Column("replaced_by", sa.String(length=40), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"],
            ["approvals.id"],
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.ForeignKeyConstraint(
            ["holder"],
            ["persons.id"],
        ),
        sa.ForeignKeyConstraint(
            ["recipient"],
            ["persons.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("document_id", "number"),
        sa.UniqueConstraint("forensic_id"),
    )
    op.create_index(op.f("ix_copies_document_id"), "copies", ["document_id"], unique=False)
    op.create_index("ix_copies_holder", "copies", ["holder", "document_id", "number"], unique=False)
    op.create_index("ix_copies_holder_status", "copies", ["holder", "status"], unique=False)
    op.create_index("ix_copies_issued", "copies", ["issued_at", "id"], unique=False)
    op.create_index(
        "ix_copies_out",
        "copies",
        ["due", "id", "status"],
        unique=False,
        sqlite_where=sa.text("status IN ('issued', 'recalled')"),
        postgresql_where=sa.text("status IN ('issued', 'recalled')"),
    )
    op.create_index(op.f("ix_copies_recipient"), "copies", ["recipient"], unique=False)
    op.create_index(
        "ix_copies_sent",
        "copies",
        ["sent_in", "id"],
        unique=False,
        sqlite_where=sa.text("sent_in IS NOT NULL"),
        postgresql_where=sa.text("sent_in IS NOT NULL"),
    )
    op.create_index("ix_copies_status", "copies", ["status"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("lift_first", sa.String(length=64), nullable=True),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.Column("lifted_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_holds_document_id"), "holds", ["document_id"], unique=False)


def downgrade() -> None:
    """Takes the tables away, with their content."""
    op.drop_table("holds")
    op.drop_table("copies")
    op.drop_table("clear_places")
    op.drop_table("circle_members")
    op.drop_table("approval_acts")
    op.drop_table("incidents")
    op.drop_table("approvals")
