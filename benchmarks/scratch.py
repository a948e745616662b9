"""What several benchmarks share on the disk, until the end of the run."""

import atexit
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

from benchmarks.installed import install


def directory() -> Path:
    """A new directory, on a disk and not in memory: syncing is part of what is measured."""
    made = Path(tempfile.mkdtemp(prefix="reconciler-bench-", dir="/var/tmp"))
    atexit.register(shutil.rmtree, made)
    return made


@cache
def program() -> Path:
    """``reconciler`` as a package manager installs it: a script, and compiled modules."""
    app = install(directory() / "app")
    script = app / "reconciler-bench"
    start = f"import sys; sys.path.insert(0, {str(app)!r})"
    script.write_text(
        f"#!{sys.executable} -I\n{start}\nfrom reconciler.cli import main\n\n"
        'if __name__ == "__main__":\n    main()\n'
    )
    script.chmod(0o755)
    return script
