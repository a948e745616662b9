"""Tier L3: tickets to people, by channels that only go out.

Rule 1: Nothing listens, nothing is fetched but what a channel answers to what it was sent.
Rule 2: A channel has a hard limit in time, memory and bytes, in a process of its own: one that
        hangs, floods or lies costs a ticket its time and the healing of the machine nothing.
Rule 3: A secret goes into a request and nowhere else: what went wrong is said by a code.
"""
