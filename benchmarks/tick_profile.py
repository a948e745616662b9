"""Where one tick of ours spends its CPU: by probe, on the guest of `benchmarks.host_tick`."""

import json

from benchmarks.host_tick.peers import HOMES
from benchmarks.host_tick.rig import bench_guest, seed
from benchmarks.stats import summarize
from benchmarks.table import Table

SHOWN = 14
WHOLE = "the whole tick"


def measure(rounds: int) -> list[Table]:
    """The dearest probes, and all that is not a probe."""
    script = "/share/bench/guest_side/probe_costs.py"
    with bench_guest() as guest:
        seed(guest)
        guest.run("cp", "-a", f"{HOMES}/first", f"{HOMES}/profile")
        settings = f"{HOMES}/profile/reconciler.yaml"
        said = guest.run("python3", "-I", script, settings, str(rounds), timeout=300).stdout
    costs: dict[str, list[float]] = json.loads(said)
    dearest = sorted(costs, key=lambda name: -summarize(costs[name]).middle)[:SHOWN]
    return [
        Table(
            name="tick_profile",
            title=f"CPU of a tick by probe, PID 1, bus and journal included; {rounds} ticks, the "
            f"dearest of {len(costs) - 2} probes.",
            metrics={"cpu_ms": "CPU ms"},
            rows={name: {"cpu_ms": costs[name]} for name in dearest},
            base=WHOLE,
            notes=(
                "Probes are asked one at a time here, which costs a little more than together.",
            ),
        )
    ]
