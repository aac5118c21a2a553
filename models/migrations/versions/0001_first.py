"""First schema, part one: station, ledger, people, what arrives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "key_branches",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "key_groups",
        sa.Column("branch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("page", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("branch", "name"),
    )
    op.create_table(
        "key_pages",
        sa.Column(
            "place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_table(
        "key_store",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=48), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_ledger_entries_act_seq", "ledger_entries", ["act", "seq", "at"], unique=False)
    op.create_index(op.f("ix_ledger_entries_at"), "ledger_entries", ["at"], unique=False)
    op.create_index(op.f("ix_ledger_entries_person"), "ledger_entries", ["person"], unique=False)
    op.create_table(
        "ledger_heads",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "index"),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "passage_tags",
        sa.Column("tag", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("set_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("tag", "set_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("clearance", sa.String(length=16), nullable=False),
        sa.Column("clearance_until", sa.String(length=10), nullable=True),
        sa.Column("suspended_at", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("seal", sa.String(length=16), nullable=False),
        sa.Column("urgency", sa.String(length=8), nullable=True),
        sa.Column("level_code", sa.String(length=2), nullable=True),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_receipts_at"), "receipts", ["at"], unique=False)
    op.create_table(
        "search_pages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "search_slots",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("slot"),
    )
    op.create_table(
        "accounts",
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("clearance", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.String(length=32), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=True),
        sa.Column("signing_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["persons.id"],
        ),
        sa.PrimaryKeyConstraint("user"),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("receipt_id", sa.String(length=32), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_id"],
            ["receipts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_batches_at", "batches", ["at", "id"], unique=False)
    op.create_table(
        "delegations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("giver", sa.String(length=64), nullable=False),
        sa.Column("taker", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.Column("until", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["giver"],
            ["accounts.user"],
        ),
        sa.ForeignKeyConstraint(
            ["taker"],
            ["accounts.user"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.String(length=32), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=True),
        sa.Column("parent_id", sa.String(length=32), nullable=True),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("level_code", sa.String(length=2), nullable=True),
        sa.Column("interim_code", sa.String(length=2), nullable=True),
        sa.Column("level_basis", sa.String(length=12), nullable=False),
        sa.Column("period", sa.String(length=48), nullable=True),
        sa.Column("secrecy_from", sa.String(length=10), nullable=True),
        sa.Column("secrecy_from_rule", sa.String(length=8), nullable=True),
        sa.Column("secrecy_until", sa.String(length=10), nullable=True),
        sa.Column("declassified_mark_on", sa.String(length=10), nullable=True),
        sa.Column("notified_date", sa.String(length=10), nullable=True),
        sa.Column("retention", sa.String(length=8), nullable=True),
        sa.Column("retention_until", sa.String(length=10), nullable=True),
        sa.Column("retention_event", sa.String(length=24), nullable=True),
        sa.Column("retention_event_on", sa.String(length=10), nullable=True),
        sa.Column("retention_open", sa.Boolean(), nullable=False),
        sa.Column("signed_date", sa.String(length=10), nullable=True),
        sa.Column("urgency", sa.String(length=8), nullable=True),
        sa.Column("origin", sa.String(length=16), nullable=True),
        sa.Column("important", sa.Boolean(), nullable=True),
        sa.Column("overlays", sa.Text(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("must_review", sa.Boolean(), nullable=False),
        sa.Column("confidence_percent", sa.Integer(), nullable=False),
        sa.Column("copies_received", sa.Integer(), nullable=False),
        sa.Column("read_level_code", sa.String(length=2), nullable=True),
        sa.Column("suggested_level_code", sa.String(length=2), nullable=True),
        sa.Column("suggested_retention", sa.String(length=8), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("duplicate_tag", sa.LargeBinary(length=32), nullable=True),
        sa.Column("paper_tag", sa.LargeBinary(length=32), nullable=True),
        sa.Column("key_slot", sa.String(length=32), nullable=True),
        sa.Column("appraised_at", sa.String(length=32), nullable=True),
        sa.Column("appraised_by", sa.String(length=64), nullable=True),
        sa.Column("archived_at", sa.String(length=32), nullable=True),
        sa.Column("destroyed_at", sa.String(length=32), nullable=True),
        sa.Column(
            "lane",
            sa.Integer(),
            sa.Computed(
                "CASE WHEN status IN ('received', 'pending', 'pending_second') THEN CASE urgency WHEN '特提' THEN 0 WHEN '特急' THEN 1 WHEN '加急' THEN 2 WHEN '急件' THEN 2 WHEN '平急' THEN 3 ELSE 9 END ELSE 9 END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("search_page", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.id"],
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["documents.id"],
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"],
            ["receipts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("year", "seq"),
    )
    op.create_index("ix_documents_archived", "documents", ["archived_at"], unique=False)
    op.create_index("ix_documents_batch_lane", "documents", ["batch_id", "lane", "year", "seq"], unique=False)
    op.create_index(op.f("ix_documents_duplicate_tag"), "documents", ["duplicate_tag"], unique=False)
    op.create_index("ix_documents_lane", "documents", ["lane", "year", "seq"], unique=False)
    op.create_index(
        "ix_documents_level_lane", "documents", ["level_code", "lane", "year", "seq"], unique=False
    )
    op.create_index(
        "ix_documents_level_status",
        "documents",
        ["level_code", "status", "lane", "year", "seq"],
        unique=False,
    )
    op.create_index(op.f("ix_documents_paper_tag"), "documents", ["paper_tag"], unique=False)
    op.create_index(
        "ix_documents_parent",
        "documents",
        ["parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_documents_receipt_id"), "documents", ["receipt_id"], unique=False)
    op.create_index("ix_documents_received", "documents", ["received_at", "id"], unique=False)
    op.create_index(op.f("ix_documents_retention"), "documents", ["retention"], unique=False)
    op.create_index("ix_documents_retention_end", "documents", ["retention_until", "id"], unique=False)
    op.create_index(op.f("ix_documents_search_page"), "documents", ["search_page"], unique=False)
    op.create_index(op.f("ix_documents_secrecy_until"), "documents", ["secrecy_until"], unique=False)
    op.create_index("ix_documents_status_lane", "documents", ["status", "lane", "year", "seq"], unique=False)
    op.create_index(
        "ix_documents_to_review",
        "documents",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status IN ('pending', 'pending_second')"),
        postgresql_where=sa.text("status IN ('pending', 'pending_second')"),
    )
    op.create_index(
        "ix_documents_unfiled",
        "documents",
        ["received_at", "id"],
        unique=False,
        sqlite_where=sa.text(
            "(archived_at IS NULL OR retention_open) AND confirmed AND status IN ('registered', 'archived')"
        ),
        postgresql_where=sa.text(
            "(archived_at IS NULL OR retention_open) AND confirmed AND status IN ('registered', 'archived')"
        ),
    )
    op.create_table(
        "artefacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("copy_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key_slot", sa.String(length=32), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("cipher_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_artefacts_copy_id"), "artefacts", ["copy_id"], unique=False)
    op.create_index(op.f("ix_artefacts_document_id"), "artefacts", ["document_id"], unique=False)
    op.create_table(
        "carriers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("receipt_id", sa.String(length=32), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=True),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("serial", sa.String(length=16), nullable=True),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("place", sa.String(length=64), nullable=True),
        sa.Column("return_due", sa.String(length=10), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"],
            ["receipts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_carriers_away",
        "carriers",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state IN ('out', 'lent', 'carried', 'transit', 'missing')"),
        postgresql_where=sa.text("state IN ('out', 'lent', 'carried', 'transit', 'missing')"),
    )
    op.create_index(op.f("ix_carriers_document_id"), "carriers", ["document_id"], unique=False)
    op.create_index("ix_carriers_holder", "carriers", ["holder", "id"], unique=False)
    op.create_index("ix_carriers_holder_state", "carriers", ["holder", "state"], unique=False)
    op.create_index(op.f("ix_carriers_receipt_id"), "carriers", ["receipt_id"], unique=False)
    op.create_index("ix_carriers_state", "carriers", ["state", "id"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("act", sa.String(length=24), nullable=False),
        sa.Column("what", sa.String(length=24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_events_document", "events", ["document_id", "what", "at"], unique=False)
    op.create_index("ix_events_what_at", "events", ["what", "at"], unique=False)
    op.create_table(
        "passage_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("tags", sa.LargeBinary(), nullable=False),
        sa.Column("title_tag", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("document_id"),
    )
    op.create_index(op.f("ix_passage_sets_title_tag"), "passage_sets", ["title_tag"], unique=False)
    op.create_table(
        "scans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("carrier_id", sa.String(length=40), nullable=True),
        sa.Column("artefact_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("tag", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["artefact_id"],
            ["artefacts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_scans_document_id"), "scans", ["document_id"], unique=False)
    op.create_index(op.f("ix_scans_tag"), "scans", ["tag"], unique=False)
    op.create_index(
        "ix_documents_event",
        "documents",
        [
            sa.literal_column("substr(coalesce(signed_date, received_at), 9, 2)"),
            sa.literal_column("substr(coalesce(signed_date, received_at), 6, 2)"),
            "signed_date",
            "received_at",
            "retention_event",
            "retention_event_on",
            "id",
        ],
        unique=False,
        sqlite_where=sa.text("retention_event IS NOT NULL AND retention_event_on IS NULL"),
        postgresql_where=sa.text("retention_event IS NOT NULL AND retention_event_on IS NULL"),
    )
    op.create_index(
        "ix_documents_terms_open",
        "documents",
        [
            sa.literal_column("substr(secrecy_from, 9, 2)"),
            sa.literal_column("substr(secrecy_from, 6, 2)"),
            "secrecy_from",
            "secrecy_until",
            "period",
            "id",
        ],
        unique=False,
        sqlite_where=sa.text("coalesce(secrecy_until, '') = '' AND period IS NOT NULL"),
        postgresql_where=sa.text("coalesce(secrecy_until, '') = '' AND period IS NOT NULL"),
    )


def downgrade() -> None:
    """Takes the tables away, with their content."""
    op.drop_table("scans")
    op.drop_table("passage_sets")
    op.drop_table("events")
    op.drop_table("carriers")
    op.drop_table("artefacts")
    op.drop_table("documents")
    op.drop_table("delegations")
    op.drop_table("batches")
    op.drop_table("accounts")
    op.drop_table("search_slots")
    op.drop_table("search_pages")
    op.drop_table("receipts")
    op.drop_table("persons")
    op.drop_table("passage_tags")
    op.drop_table("meta")
    op.drop_table("ledger_nodes")
    op.drop_table("ledger_heads")
    op.drop_table("ledger_entries")
    op.drop_table("key_store")
    op.drop_table("key_pages")
    op.drop_table("key_groups")
    op.drop_table("key_branches")
    op.drop_table("counters")
