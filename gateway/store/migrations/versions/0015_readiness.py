"""A row to try writing with; indexes so that no filter or figure reads what it does not show (docs/adr/0033)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "write_probes",
        sa.Column("name", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="write_probe"),
        sqlite_with_rowid=False,
    )
    op.create_index("requests_type", "requests", ["type", "request_no"])
    op.create_index("requests_state_type", "requests", ["state", "type", "request_no"])
    op.create_index("requests_asked_type", "requests", ["asked", "type", "request_no"])
    op.create_index("requests_asked_state", "requests", ["asked", "state", "request_no"])
    op.drop_index("measures_state", table_name="measures")
    op.create_index("measures_state", "measures", ["state", "measure_no"])
    op.drop_index("measures_asked", table_name="measures")
    op.create_index("measures_asked", "measures", ["asked", "state", "measure_no"])
    op.drop_index("measures_case", table_name="measures")
    op.create_index("measures_case", "measures", ["case_no", "state", "measure_no"])
    op.create_index("pages_state", "pages", ["state"])
