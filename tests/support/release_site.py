"""A fleet that is a flake, and CI with a real Nix that releases it."""

import json
from pathlib import Path
from typing import Any

from reconciler.cli import execute
from reconciler.nix import process
from tests.support.appliance_fleet import CLIENT, appliance_files
from tests.support.attest_site import AttestSite
from tests.support.fleet_git import Files
from tests.support.nix_runtime import NixStore
from tests.support.trust_fleet import POLICY, POLICY_TEXT

OWNED = POLICY_TEXT.replace(
    "recovery:",
    '  - {id: nix, paths: ["flake.*", "nix/**"], authors: [engineer], approvals: 0}\nrecovery:',
)
FLAKE = """\
{{
  nixConfig.extra-substituters = "https://substituter.example";
  outputs = {{ self }}: let
    make = name: text: derivation {{
      inherit name text;
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" "echo \\"$text\\" > $out" ];
    }};
    host = name: packages: {{
      config.system.build.toplevel = make "nixos-system-${{name}}-26.05" (toString packages);
    }};
  in {{
    nixosConfigurations = {{
{hosts}
    }};
  }};
}}
"""
"""Systems that need what they name, and settings of its own that nobody may take."""


def flake(**hosts: dict[str, str]) -> str:
    """A flake: by host, the versions of its packages."""
    lines = [
        f'      "{CLIENT}-{name}" = host "{name}" [ '
        + " ".join(f'(make "{package}-{version}" "")' for package, version in packages.items())
        + " ];"
        for name, packages in hosts.items()
    ]
    return FLAKE.format(hosts="\n".join(lines))


def fleet_files(text: str, *names: str) -> Files:
    """A fleet with NixOS hosts and a flake."""
    return {
        **appliance_files(dict.fromkeys(names, "[]")),
        POLICY: OWNED,
        "flake.nix": text,
    }


def process_store(store: NixStore) -> process.NixStore:
    """A store of the tests, as the program asks it."""
    return process.NixStore(
        directories=(str(store.runtime / "usr/bin"),),
        remote=str(store.root),
        conf_dir=str(store.directory / "conf"),
        cache=str(store.directory / "cache"),
    )


class ReleaseSite:
    """A server, CI's clone, CI's store, and a cache."""

    def __init__(self, root: Path, store: NixStore, files: Files) -> None:
        self.site = AttestSite(root, files)
        self.store = store
        self.cache = root / "cache"
        self.key = root / "cache.sec"
        secret = store.run("nix", "key", "generate-secret", "--key-name", "cache.example-1")
        self.key.write_text(secret)
        self.public = store.run("nix", "key", "convert-secret-to-public", input=secret.encode())

    def lands(self, files: Files) -> str:
        """A commit on main, pushed and pulled by CI."""
        commit = self.site.fleet.commit("alice", files)
        self.site.fleet.git("push", "-q", "origin", "main")
        self.site.git("ci", "pull", "-q", "origin", "main")
        return commit

    def release(self, capsys: Any, *argv: str, code: int = 0) -> Any:
        """What ``reconciler release --json`` says in CI's clone; or its error."""
        assert execute([*self.argv(), "--json", *argv]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return json.loads(said.out) if code == 0 else said.err

    def argv(self) -> list[str]:
        """``reconciler release`` in CI's clone."""
        return [
            *("release", "--repository", str(self.site.clone("ci"))),
            *("--key", str(self.site.key("ci"))),
            *("--programs", str(self.store.runtime / "usr/bin")),
            *("--root", str(self.store.root)),
            *("--settings", str(self.store.directory / "conf")),
        ]
