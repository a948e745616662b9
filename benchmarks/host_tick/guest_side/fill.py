"""Runs inside the guest: ``fill.py SETTINGS COUNT`` makes so many runs, each with its entry."""

import sys
from pathlib import Path

from reconciler import load_settings, open_appliance, reconcile

with open_appliance(load_settings(Path(sys.argv[1]))) as appliance:
    for _ in range(int(sys.argv[2])):
        reconcile(appliance)
