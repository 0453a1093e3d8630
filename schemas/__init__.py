"""The catalogue: what can be asked, told and raised, with its values, rules and tables of the law. Pure."""
