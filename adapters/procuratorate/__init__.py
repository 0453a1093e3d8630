"""The procuratorate."""

from adapters.plain import plain

DIALECT = plain("检察院", "Procuratorate")
