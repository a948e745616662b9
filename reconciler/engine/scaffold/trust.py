"""Who may change a new fleet: the people, their keys, and the first trust policy.

Rule 1: Every path of the new repository is owned by a rule, and what runs with the rights of CI
        (``.github/``, ``ci/``) needs as much as the policy itself.
Rule 2: Two people from the start, if there are two. One person alone is said to be alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence import sshsig
from reconciler.model.document import Name
from reconciler.model.trust_policy import Principal

DOMAIN = "msp.example"
ENGINEER = "engineer"
NAMESPACES = "git,reconciler-attestation"
MAX_KEY = 16 * 1024

_ADDRESS = Annotated[Principal, StringConstraints(pattern=r"^[a-z0-9-]+@[^@]+$")]

_HEAD = """\
# Who may change what in this fleet. The first rule with a pattern that matches owns a path; a path
# that no rule owns is nobody's to change. An appliance follows this file as it stands in the commit
# that it accepted, so a change of it counts by the rules before it. README.md beside it says more.
format: 1

"""

_ALONE = """\
# There is one person so far, and nobody can agree with them: whoever has that key has the fleet.
# To add the second: append their key to allowed_signers (both namespaces), list them under people,
# set approvals to 1 below (clients may stay at 0), uncomment recovery, and commit it all at once.
"""

_PEOPLE = """\
people:
{people}
# machines:                              # same fields; a machine never counts as an approver
#   - {{id: ci, principals: [ci@msp.example], roles: [heartbeat, release]}}

rules:
  # What changes trust, and what runs with the rights of CI.
  - id: trust
    paths: ["policies/trust/**", ".github/**", "ci/**"]
    authors: [security]
    approvals: {approvals}
    approvers: [security, engineer]
  - {{id: runbooks, paths: ["runbooks/**"], authors: [engineer], approvals: {approvals}}}
  - id: exceptions
    paths: ["policies/exceptions/{{client}}/**"]
    authors: [engineer]
    approvals: {approvals}
  - {{id: policies, paths: ["policies/**"], authors: [engineer], approvals: {approvals}}}
  # A yes to a runbook of high risk takes two people; such files are called high-….yaml.
  - id: high-risk
    paths: ["approvals/{{client}}/high-*.yaml"]
    authors: [engineer]
    approvals: {approvals}
  # What runs as root on NixOS appliances, and what it is made from.
  - id: systems
    paths: ["flake.nix", "flake.lock", "nix/**", "hosts/{{client}}/*.nix"]
    authors: [engineer]
    approvals: {approvals}
  # What one client's engineers change: hosts, approvals of plans by the person who gives them, and
  # who has an incident in hand.
  - id: clients
    paths: ["hosts/{{client}}/**", "approvals/{{client}}/**", "acknowledgements/{{client}}/**"]
    authors: [engineer]
    approvals: 0
  - {{id: rest, paths: ["**"], authors: [engineer], approvals: {approvals}}}

branches:
  - {{name: main, require: [ssh]}}

"""

_RECOVERY = """\
# Who can bless a history that does not follow from the accepted one: lost keys, a rewritten branch.
recovery: {roles: [security], people: 2}

"""

_NO_RECOVERY = """\
# recovery: {roles: [security], people: 2}

"""

_IDENTITIES = """\
# CI that signs without a key (docs/howto/continuous-integration.md). Pin trusted_root.json beside
# this file, fill in the repository, and let main require: [ssh, release].
# identities:
#   - name: ci-release
#     issuer: https://token.actions.githubusercontent.com
#     identity: https://github.com/OWNER/FLEET/.github/workflows/attest.yml@refs/heads/main
#     repository: https://github.com/OWNER/FLEET
#     branches: [main]
#     roles: [release]
#   - name: ci-heartbeat
#     issuer: https://token.actions.githubusercontent.com
#     identity: https://github.com/OWNER/FLEET/.github/workflows/heartbeat.yml@refs/heads/main
#     repository: https://github.com/OWNER/FLEET
#     branches: [main]
#     roles: [heartbeat]
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may change the fleet.

    Attributes:
        id: What the policy calls them.
        principal: What ``allowed_signers`` calls their key.
        public: Their public key, as `reconciler.evidence.sshsig` has it.
    """

    id: str
    principal: str
    public: bytes


def named(text: str) -> tuple[str, str]:
    """Id and principal of ``bob`` or ``bob@msp.example``.

    Raises:
        InputError: It is neither.
    """
    try:
        if "@" in text:
            principal = TypeAdapter(_ADDRESS).validate_python(text)
            return TypeAdapter(Name).validate_python(text.partition("@")[0]), principal
        return TypeAdapter(Name).validate_python(text), f"{text}@{DOMAIN}"
    except ValidationError as error:
        raise InputError(
            f"{text!r:.80} cannot be the id of a person",
            hint="Use lower-case letters, digits and hyphens, or an address: bob@msp.example.",
        ) from error


def person(text: str) -> Person:
    """Somebody from ``ID=PUBKEYFILE``.

    Raises:
        InputError: It has another form, or the file is no public Ed25519 key of OpenSSH.
    """
    name, sign, file = text.partition("=")
    if not sign or not file:
        raise InputError(f"{text!r:.80} is not ID=PUBKEYFILE", hint="For example: bob=bob.pub")
    return Person(*named(name), _public(Path(file)))


def check_people(ids: Sequence[str], people: Sequence[Person]) -> None:
    """See, before anything is made, that these people are distinct.

    Args:
        ids: Who else there is.
        people: The people.

    Raises:
        InputError: Two have the same id, or the same key.
    """
    names = [*ids, *(one.id for one in people)]
    if len(set(names)) != len(names):
        raise InputError("two people have the same id", hint="Give each --person an id of its own.")
    if len({one.public for one in people}) != len(people):
        raise InputError(
            "two people have the same key",
            hint="A key that is shared cannot say who signed, and two people are meant to be two.",
        )


def signers_text(people: Sequence[Person]) -> str:
    """The ``allowed_signers`` of these people: commits and attestations."""
    return "".join(
        f'{one.principal} namespaces="{NAMESPACES}" {sshsig.public_text(one.public)}\n'
        for one in people
    )


def policy_text(people: Sequence[Person]) -> str:
    """The first trust policy."""
    alone = len(people) == 1
    listed = "".join(_member(one) for one in people)
    body = _PEOPLE.format(people=listed, approvals=0 if alone else 1)
    recovery = _NO_RECOVERY if alone else _RECOVERY
    return _HEAD + (_ALONE if alone else "") + body + recovery + _IDENTITIES


def _member(one: Person) -> str:
    return (
        f"  - id: {one.id}\n    principals: [{one.principal}]\n"
        "    roles: [engineer, security]\n    all_clients: true\n"
    )


def _public(file: Path) -> bytes:
    hint = "Give the .pub file of an Ed25519 key: ssh-keygen -t ed25519 (or ed25519-sk)."
    where = Where(str(file))
    try:
        with file.open("rb") as stream:
            words = stream.read(MAX_KEY).decode("ascii", "replace").split()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", hint=hint, where=where) from error
    try:
        return sshsig.parse_public(*words[:2])
    except (TypeError, EvidenceError) as error:
        raise InputError(
            "is not a public key that may sign here", hint=hint, where=where
        ) from error
