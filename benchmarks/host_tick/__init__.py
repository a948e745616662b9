"""One look at one Linux host: this project and its peers on the same guest, for the same drifts.

`measure` is what ``python -m benchmarks host_tick`` runs. `peers` says how each tool is called
and `answers` how it is read; ``policies/`` holds the same baseline in each tool's own words, and
``guest_side/`` what runs inside the guest.
"""

from benchmarks.host_tick.measure import measure

__all__ = ["measure"]
