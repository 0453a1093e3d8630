"""The dialects: the field names and codes in which each kind of partner writes what `schemas` describes. Depends on
`schemas` alone; knows no store and no broker.
"""
