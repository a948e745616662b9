"""From what a tool printed to the ids of the rules that it found broken."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Answer = Callable[[str], frozenset[str]]

_SSHD = {
    "permitrootlogin": "ssh-root-login",
    "passwordauthentication": "ssh-password-login",
    "permitemptypasswords": "ssh-password-login",
    "kbdinteractiveauthentication": "ssh-password-login",
    "ciphers": "ssh-algorithms",
    "macs": "ssh-algorithms",
    "kexalgorithms": "ssh-algorithms",
    "clientaliveinterval": "ssh-dead-sessions",
    "clientalivecountmax": "ssh-dead-sessions",
    "loglevel": "ssh-log-level",
    "authenticationmethods": "ssh-second-factor",
}
_FAIL = re.compile(r"^(?:R: )?FAIL ([a-z0-9_-]+)$", re.MULTILINE)
_PYTEST = re.compile(r"^FAILED \S+::test_([a-z0-9_]+)", re.MULTILINE)
_PUPPET = re.compile(r"/Stage\[main\]/([A-Za-z0-9_]+)/.*\(noop\)")
_ANSIBLE = re.compile(r"^TASK \[([a-z0-9-]+)\] \*+\n(?:changed|fatal|failed):", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def ours(said: str) -> frozenset[str]:
    """Ids of rules with the status ``fail`` in our JSON; an item in brackets is left out."""
    findings = json.loads(said)["findings"]
    return frozenset(f["rule"].partition("[")[0] for f in findings if f["status"] == "fail")


def fail_lines(said: str) -> frozenset[str]:
    """Lines ``FAIL <rule>``, as our shell script and our CFEngine policy report them."""
    return _ids(_FAIL.findall(said))


def goss(said: str) -> frozenset[str]:
    """Results of ``goss --format json`` that failed, by the rule in their meta data."""
    broken = [r for r in json.loads(said)["results"] if not r["successful"]]
    named = {result["meta"]["rule"] for result in broken} - {"ssh"}
    missing = [p for r in broken if r["meta"]["rule"] == "ssh" for p in _missing(r)]
    return frozenset(named | {_SSHD[pattern.strip("/^").split()[0]] for pattern in missing})


def pytest(said: str) -> frozenset[str]:
    """Names of tests that failed."""
    return _ids(_PYTEST.findall(said))


def puppet(said: str) -> frozenset[str]:
    """Classes with a resource that would be changed."""
    return _ids(name.lower() for name in _PUPPET.findall(_COLOUR.sub("", said)))


def ansible(said: str) -> frozenset[str]:
    """Tasks that would change something, or failed."""
    return _ids(_ANSIBLE.findall(said))


def _missing(result: Mapping[str, Any]) -> list[str]:
    return result["matcher-result"]["missing-elements"] or []


def _ids(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.replace("_", "-") for name in names)
