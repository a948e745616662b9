"""Hosts with `services.reconciler`, evaluated by the project's own small module system."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.engine.settings import Home, load_settings
from tests.support.image import PROJECT
from tests.support.nix_runtime import NixStore

__all__ = ["COMPLETE", "EVALUATING", "MINIMAL", "Evaluation", "settings_of", "unit_text"]

COMPLETE = str(Path(__file__).parent / "complete.nix")
EVALUATING = """{
  services.reconciler = {
    helper.enable = false;
    system.evaluate = { memoryMebibytes = 3072; timeoutS = 600; };
  };
}"""
"""Beside `COMPLETE`: the machine evaluates by itself, so there is no helper."""
MINIMAL = """{
  services.reconciler = {
    enable = true;
    client = "elm-street";
    host = "front-desk";
    fleet.url = "https://git.example.org/fleet.git";
  };
}"""
"""What must be said, and nothing else."""

_PROGRAM = """{
  services.reconciler.package = {
    type = "derivation";
    name = "reconciler";
    outPath = "/run/current-system/sw";
  };
}"""


class Evaluation:
    """Asks for values of one host's configuration.

    Args:
        store: Nix.
        modules: Nix expressions, beside the reconciler's own module.
    """

    def __init__(self, store: NixStore, *modules: str) -> None:
        own = str(PROJECT / "nix/modules/reconciler.nix")
        self._store = store
        self._modules = " ".join(f"({module})" for module in (own, _PROGRAM, *modules))

    def get(self, want: str) -> Any:
        """The value of an expression over ``config``, ``options`` and ``testing``.

        Raises:
            CommandFailed: It cannot be evaluated; the message holds what Nix said.
        """
        return self._store.eval(
            f"let testing = import {PROJECT}/nix/testing {{ }};"
            " pkgs = testing.pkgs // { callPackage = _: _: testing.pkgs.python3; };"
            f" system = testing.evalSystem {{ modules = [ {self._modules} ];"
            " specialArgs = { inherit pkgs; }; };"
            f" inherit (system) config options; in {want}"
        )

    def refusals(self) -> list[str]:
        """Messages of assertions that do not hold."""
        refused: list[str] = self.get("testing.refusals config")
        return refused

    def settings_text(self) -> str:
        """The text of the settings file."""
        text: str = self.get('config.environment.etc."reconciler/reconciler.yaml".text')
        return text

    def units(self) -> dict[str, str]:
        """The reconciler's unit files by name."""
        kinds = ("service", "socket", "timer")
        asked = "; ".join(f"{kind} = config.systemd.{kind}s" for kind in kinds)
        found = self.get(
            "let pick = import "
            f"{Path(__file__).parent}/units.nix; in builtins.mapAttrs (_: pick) {{ {asked}; }}"
        )
        return {
            f"{name}.{kind}": unit_text(kind, parts)
            for kind in kinds
            for name, parts in found[kind].items()
        }


def settings_of(text: str, directory: Path) -> Home:
    """A settings file as the program reads it."""
    file = directory / "reconciler.yaml"
    file.write_text(text)
    return load_settings(file)


def unit_text(kind: str, parts: Mapping[str, Any]) -> str:
    """A unit file as NixOS writes one: a list is a line for each item."""
    sections = {
        "Unit": parts["unit"],
        kind.capitalize(): parts["section"],
        "Install": {"WantedBy": parts["wantedBy"]},
    }
    lines: list[str] = []
    for name, settings in sections.items():
        lines.append(f"[{name}]")
        for key, value in settings.items():
            items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            lines += [f"{key}={_text(item)}" for item in items]
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
