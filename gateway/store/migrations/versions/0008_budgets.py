"""Documents that no request names yet, and the tokens of partners that were used: both counted, both bounded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "documents_unnamed",
        sa.Column("participant", CODE, nullable=False),
        sa.Column("sha256", CODE, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("participant", "sha256", name="document_unnamed"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO documents_unnamed (participant, sha256, size) SELECT put_by, sha256, size FROM documents "
        "WHERE NOT EXISTS (SELECT 1 FROM document_refs WHERE document_refs.sha256 = documents.sha256)"
    )
    op.create_table(
        "tokens_used",
        sa.Column("participant", CODE, nullable=False),
        sa.Column("jti", CODE, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("participant", "jti", name="token_used"),
        sqlite_with_rowid=False,
    )
    op.create_index("tokens_used_expiry", "tokens_used", ["expires_at"])
