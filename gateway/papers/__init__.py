"""Where the bytes of documents are kept. `LocalDocuments` is `application.ports.papers.Documents` over a folder."""

from gateway.papers.local import LocalDocuments

__all__ = ["LocalDocuments"]
