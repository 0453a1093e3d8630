"""Who has put a document, and who may read one (docs/adr/0025)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# A request that has not left names nothing to anybody yet; it does when it is opened.
UNOPENED = """
    DELETE FROM document_refs WHERE request_no IN (
        SELECT request_no FROM requests WHERE state IN ('awaiting-approval', 'blocked'))
"""
# Which of the two parties named it is not known any more; until now naming was enough.
READERS = """
    INSERT INTO document_readers (sha256, participant)
    SELECT sha256, put_by FROM documents
    UNION SELECT f.sha256, r.asker FROM document_refs f JOIN requests r ON r.request_no = f.request_no
          JOIN documents d ON d.sha256 = f.sha256
    UNION SELECT f.sha256, r.asked FROM document_refs f JOIN requests r ON r.request_no = f.request_no
          JOIN documents d ON d.sha256 = f.sha256
"""
# Nobody has put it yet: it counts when one of the two does.
CLAIMS = """
    INSERT INTO document_claims (sha256, named_by, request_no, other)
    SELECT f.sha256, r.asker, r.request_no, r.asked FROM document_refs f JOIN requests r ON r.request_no = f.request_no
    WHERE f.sha256 NOT IN (SELECT sha256 FROM documents)
    UNION ALL
    SELECT f.sha256, r.asked, r.request_no, r.asker FROM document_refs f JOIN requests r ON r.request_no = f.request_no
    WHERE f.sha256 NOT IN (SELECT sha256 FROM documents)
"""


def upgrade() -> None:
    op.create_table(
        "document_puts",
        sa.Column("sha256", CODE, nullable=False),
        sa.Column("participant", CODE, nullable=False),
        sa.Column("media_type", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "participant", name="document_put"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "document_readers",
        sa.Column("sha256", CODE, nullable=False),
        sa.Column("participant", CODE, nullable=False),
        sa.PrimaryKeyConstraint("sha256", "participant", name="document_reader"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "document_claims",
        sa.Column("sha256", CODE, nullable=False),
        sa.Column("named_by", CODE, nullable=False),
        sa.Column("request_no", CODE, sa.ForeignKey("requests.request_no", name="claim_request"), nullable=False),
        sa.Column("other", CODE, nullable=False),
        sa.PrimaryKeyConstraint("sha256", "named_by", "request_no", name="document_claim"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO document_puts (sha256, participant, media_type, at) "
        "SELECT sha256, put_by, media_type, at FROM documents"
    )
    op.execute(UNOPENED)
    op.execute(READERS)
    op.execute(CLAIMS)
    op.execute("DELETE FROM document_refs WHERE sha256 NOT IN (SELECT sha256 FROM documents)")
