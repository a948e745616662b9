"""Side by side with what people use today, as ratios; see README.md in this folder.

Every benchmark runs its rows in turn, one round after the other, so that a busy machine slows all
of them alike, and drops a first round that warms the caches.
"""
