"""What the use cases need from the outside, as Protocols: one module for each use. `bootstrap` gives the objects.

`store` puts together what the database is asked; code that needs a part of it names that part.
"""
