"""The driver of looks: probes of many checks in one round, answers to observations.

Lesson 1 of this project: a look that failed is ``unobserved`` with its reason, never a pass.
"""
