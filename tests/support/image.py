"""The image of the tests' guests, in this checkout; see `reconciler.testing.rig.image`.

The cache is ``var/rig`` in the project, or `RECONCILER_RIG_CACHE`.
"""

import os
from pathlib import Path

from reconciler.testing.rig import image
from reconciler.testing.rig.image import PROJECT, Image

__all__ = ["PROJECT", "Image", "build_image"]


def build_image() -> Image:
    """Build what is not in the cache yet."""
    cache = Path(os.environ.get("RECONCILER_RIG_CACHE", PROJECT / "var/rig"))
    return image.build_image(cache, os.environ)
