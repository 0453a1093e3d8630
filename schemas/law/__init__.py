"""What the law and the court's own rules say in figures and lists: tables, each with its source and its dates.

Each module holds one table: its row as a frozen dataclass (`schemas.law.force.Entry`), the rows that the product ships,
and the questions that other code asks of it. `schemas.law.tables` lists them all: **a new table is one module here and
one line there**. A deployment changes or adds rows by `law/<table>.toml` in its folder (docs/handbook/law.md,
docs/adr/0039); `schemas.law.reading` reads them, `schemas.law.force.law()` is what this process goes by.
"""
