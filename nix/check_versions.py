"""Whether every library is as new as the distribution asks for, the optional ones too.

python check_versions.py DISTRIBUTION
"""

import sys
from importlib.metadata import requires, version

from packaging.requirements import Requirement

wanted = [Requirement(line) for line in requires(sys.argv[1]) or []]
older = [
    f"{one.name} {version(one.name)}, wanted {one.specifier}"
    for one in wanted
    if version(one.name) not in one.specifier
]
sys.exit("\n".join(older) or None)
