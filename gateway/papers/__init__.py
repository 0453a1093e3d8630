"""Where the bytes of documents are kept. `LocalDocuments` is `services.ports.Documents` over a folder."""

from gateway.papers.local import LocalDocuments

__all__ = ["LocalDocuments"]
