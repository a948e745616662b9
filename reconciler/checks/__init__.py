"""The catalogue of checks: one file a subject, each a probe and a parser, ending in ``CHECK``.

A check says what to ask a machine and reads the answer. It never judges (rules do) and never
touches the machine (targets do), so an auditor can replay it from recorded answers.

* ``linux/``, ``appliance/``: the checks, one file each; they do not import each other.
* ``parsing/``: pure readers of formats that more than one check meets.
* ``catalogue``: finds them.
"""
