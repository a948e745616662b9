"""Kinds of steps: typed parameters to operations, and the way back. Pure; one file a kind.

A step says what should be done and how to undo it; a target does it. Adding a kind is one file
that ends in `STEP`, named after its id with dots written as underscores.
"""
