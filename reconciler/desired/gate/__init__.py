"""The gate: what a change of the fleet repository means, said before anybody merges it.

It reads revisions of a repository on disk, straight from their objects, with the reader and the
limits that an appliance has; so what an appliance would refuse to read, the gate refuses, too.
"""
