"""The ledger: the Git repository of an appliance's evidence, and all that touches the disk for it.

What an entry is, and whether a history is sound, is decided in `reconciler.evidence`; here it is
stored durably, one writer at a time, and read back as raw bytes.
"""
