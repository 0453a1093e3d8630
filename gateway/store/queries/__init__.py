"""What is asked of the database, one module for each use, as in `application.ports`: its SQL and who runs it.

`…Reads` are the store's, each statement on a connection of its own; `…Unit` are those of a unit of work.
"""
