"""Audit kits: everything that an auditor needs for a period, in one directory, and nothing more.

Rule 1: A kit is complete or not there, and the same evidence gives the same bytes: no clock, no
        paths of this machine.
Rule 2: What is said in a kit is said of what is in it: the bundle is unpacked again and verified,
        and findings are read from that.
"""
