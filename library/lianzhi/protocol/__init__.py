"""The messages that gateway, partner and client exchange: envelope, verbs, values, trust, order, the contract file.
Pure.

Read top-down: `envelope` (what a message says of itself), `verbs` (what it can say, who may say it), `policy` (whether
it is believed), `ordering` (where it stands among those of its request), `cards` and `contract` (what is agreed for
each matter type). Below: `values`, `times`, `texts` (what may stand in a member), `rules` with `sources` (why it is
refused), `base` (what every model shares).
"""
