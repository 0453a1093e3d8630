"""Messages from the queues: verified, ordered, applied; the others wait, are answered by a notice, or go to
quarantine.
"""
