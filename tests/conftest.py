"""What every test has in common."""

import os

from hypothesis import settings

# In the gate the same examples are tried each time: a red gate must be about the change.
settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")
