"""Nix takes nothing from whom nobody declared: signatures are asked for, and only root is trusted.

A trusted user is root by another name: it may import what nobody signed. The file that the daemon
reads is judged, without a process; LNX-EXP-014 says whether it is the declared one. Files of root
that only clients read count as well, because activation runs as root.

Source: 45 CFR 164.312(a)(1), 164.312(c)(1); NIXOS:V-268152, V-268154; nix.conf(5).
"""

import re

from reconciler.checks.parsing.declared import EXPECTATIONS, shown
from reconciler.checks.parsing.nix_conf import read
from reconciler.checks.parsing.shapes import stats
from reconciler.checks.parsing.trusted_system import (
    REAPPLY_FIELD,
    SYSTEM,
    SYSTEM_FIELD,
    reapply,
    trusted,
)
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe, ReadFile, StatPaths
from reconciler.model.values import Params

_CONF = ReadFile("/etc/nix/nix.conf")
_OTHERS = StatPaths(("/root/.config/nix/nix.conf", "/etc/xdg/nix/nix.conf"))
"""What Nix of root reads beside it, when nobody sets XDG_CONFIG_HOME or XDG_CONFIG_DIRS."""

_KEY = re.compile(r"([A-Za-z0-9._-]{1,100}):[A-Za-z0-9+/]{43}=")


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (SYSTEM, EXPECTATIONS, _CONF, _OTHERS)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    system = trusted(answers).path
    conf = read("" if answers.absent(_CONF) else answers.text(_CONF))
    keys = conf.listed("trusted-public-keys")
    if not all(map(_KEY.fullmatch, keys)):
        raise Unobservable("nix.conf: a trusted key is not a name and a key")
    return {
        "system": system,
        "reapply": reapply(answers),
        "require_sigs": conf.flag("require-sigs"),
        "sandbox": shown(conf.settings["sandbox"]),
        "trusted_users": tuple(map(shown, conf.listed("trusted-users"))),
        "allowed_users": tuple(map(shown, conf.listed("allowed-users"))),
        "trusted_keys": keys,
        "includes": conf.includes,
        "other_files": len(stats(answers, _OTHERS)),
    }


CHECK = Check(
    id="LNX-SYS-004",
    title="Nix daemon trusts only declared keys and users",
    platforms=frozenset({"nixos"}),
    source="nix.conf(5); NIXOS:V-268152, V-268154; NIST SP 800-53 CM-5, CM-14",
    fields={
        "system": SYSTEM_FIELD,
        "reapply": REAPPLY_FIELD,
        "require_sigs": Field("bool", "Whether paths from elsewhere need a signature."),
        "sandbox": Field("str", "true, false or relaxed: what builds may see."),
        "trusted_users": Field("list[str]", "Who may do what root may."),
        "allowed_users": Field("list[str]", "Who may talk to the daemon."),
        "trusted_keys": Field("list[str]", "Keys whose signatures count, name and key."),
        "includes": Field("int", "Other files that nix.conf reads, and that were not read here."),
        "other_files": Field("int", "Files with settings of root beside it."),
    },
    probes=_probes,
    parse=_parse,
)
