"""Talking to Git servers: what fetching a fleet and pushing evidence have in common.

An address is vetted before it is used, whoever answers is held to bounds of time, bytes and memory
by a process of its own, and what goes wrong on the wire is a value with a closed set of causes.
Nothing here judges what was fetched or decides what is pushed.
"""
