"""The weekly and monthly report on paper, in a workbook, in the terminal. Given a counted `Report`; reads nothing."""

from __future__ import annotations

from gateway.report.content import content
from gateway.report.names import Names, names_in
from gateway.report.pdf import FontMissingError, write_pdf
from gateway.report.shapes import Content
from gateway.report.workbook import write_xlsx

__all__ = ["Content", "FontMissingError", "Names", "content", "names_in", "write_pdf", "write_xlsx"]
