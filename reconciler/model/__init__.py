"""The nouns, one a file.

What comes from outside is a pydantic model; what we compute is a dataclass.
Nothing here does input or output, and nothing here imports another package of the house.
"""
