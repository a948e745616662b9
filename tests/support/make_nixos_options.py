"""Write ``docs/nixos-options.md``: every option of the modules.

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

Made from `nix/modules/` by `python -m tests.support.make_nixos_options`; do not edit. How they are
used: [nixos.md](nixos.md). What a machine is meant to have, and when something may be changed, is
in the fleet repository and in no option. Those of the [baseline](baseline.md) and of the
[expectations](expectations.md) follow at the end.

`<name>` is a name that you choose, `*` is each element of a list. Names below that begin with
`reconciler.` are whole; all others begin with `services.reconciler.`.
"""

_BESIDE = ("reconciler.baseline", "reconciler.expectations")


def modules_host(store: NixStore) -> Evaluation:
    """A host with every module, of which the options are those of the page."""
    modules = PROJECT / "nix/modules"
    return Evaluation(store, MINIMAL, f"{modules}/baseline", f"{modules}/expectations.nix")


def options_of(host: Evaluation, place: str = "services.reconciler") -> list[dict[str, str | None]]:
    """The options below one place, in the order of their names."""
    walker = Path(__file__).parent / "reconciler_module/options.nix"
    found: list[dict[str, str | None]] = host.get(
        f"import {walker} {{ lib = testing.lib; }} [ ] options.{place}"
    )
    return found


def options_beside(host: Evaluation) -> list[dict[str, str | None]]:
    """Those of the other modules, by their whole names."""
    return [
        option | {"name": f"{place}.{option['name']}"}
        for place in _BESIDE
        for option in options_of(host, place)
    ]


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
        host = modules_host(NixStore(open_nix(), Path(directory) / "nix"))
        PAGE.write_text(render([*options_of(host), *options_beside(host)]))


if __name__ == "__main__":
    main()
