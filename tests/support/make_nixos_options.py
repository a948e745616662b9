"""Write ``docs/nixos-options.md``: every option of ``services.reconciler``.

    python -m tests.support.make_nixos_options

A test compares the page with the module, so it is never out of date.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.image import PROJECT
from tests.support.nix_runtime import NixStore, open_nix
from tests.support.reconciler_module import MINIMAL, Evaluation

PAGE = PROJECT / "docs/nixos-options.md"

_HEAD = """\
# Options of `services.reconciler`

Made from `nix/modules/reconciler.nix` by `python -m tests.support.make_nixos_options`; do not
edit. How they are used: [nixos.md](nixos.md). What a machine is meant to have, and when something
may be changed, is in the fleet repository and in no option.

`<name>` is a name that you choose, `*` is each element of a list. All names begin with
`services.reconciler.`.
"""


def options_of(host: Evaluation) -> list[dict[str, str | None]]:
    """The options of the module, in the order of their names."""
    walker = Path(__file__).parent / "reconciler_module/options.nix"
    found: list[dict[str, str | None]] = host.get(
        f"import {walker} {{ lib = testing.lib; }} [ ] options.services.reconciler"
    )
    return found


def render(options: Sequence[Mapping[str, str | None]]) -> str:
    """The page."""
    parts = [_HEAD]
    for option in options:
        parts.append(f"## `{option['name']}`\n")
        parts.append(_plain(option["description"] or ""))
        facts = [f"*Type:* {option['type']}"]
        facts += [
            f"*{name.capitalize()}:* `{option[name]}`"
            for name in ("default", "example")
            if option[name] is not None
        ]
        parts.append("  \n".join(facts) + "\n")
    return "\n".join(parts)


def _plain(text: str) -> str:
    """Markdown without the roles that only the manual of NixOS knows."""
    words = " ".join(text.split())
    return words.replace("{option}`", "`") + "\n"


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as directory:
        host = Evaluation(NixStore(open_nix(), Path(directory) / "nix"), MINIMAL)
        PAGE.write_text(render(options_of(host)))


if __name__ == "__main__":
    main()
