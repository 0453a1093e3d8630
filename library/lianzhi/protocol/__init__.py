"""The messages that gateway, partner and client exchange: envelope, verbs, values, trust, order, the contract file.
Pure.
"""
