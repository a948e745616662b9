"""Many objects in few files: packs, their indexes, bundles, and moving loose objects into packs.

Packing is part of the design of the ledger: an entry is small, and most of it is what the entry
before it said. Everything here is Git's own format; stock git reads what we write, we read it all.
"""
