"""``reconciler attest approve``."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.attest_common import (
    Desk,
    Ending,
    ask,
    branch_option,
    clone_options,
    file_type,
    finish_with_key,
    output_options,
    yes_option,
)

if TYPE_CHECKING:
    from reconciler.cli.attest_keys import Key
    from reconciler.desired.attest.review import Review, RuleReview
    from reconciler.desired.trust.case import Case
    from reconciler.trust.statements import Approval

_PATHS_SHOWN = 20


@click.command()
@click.argument("revision", default="HEAD")
@click.option("--base", required=True, metavar="REV", help="What is on the branch now: main.")
@branch_option
@click.option(
    "--key", type=file_type, required=True, help="Your OpenSSH key; or its .pub, with --unsigned."
)
@click.option("--plan", metavar="SHA256", help="Digest of the plan that you have read.")
@click.option("--expires", metavar="DATE", help="Last day (2026-12-31) or instant it may be used.")
@yes_option
@clone_options
@output_options
def command(
    revision: str,
    base: str,
    branch: str,
    key: Path,
    plan: str | None,
    expires: str | None,
    yes: bool,
    repository: Path,
    attestations: str,
    remote: str,
    as_json: bool,
    unsigned: Path | None,
    output: Path | None,
) -> None:
    """Agree with what REVISION (default: HEAD) would make of the branch.

    You approve its tree: every file as it is there, so nothing that is added later is covered. It
    counts for one person, whatever number of keys they have, and not for a change of their own.
    """
    from reconciler.cli.attest_keys import load
    from reconciler.desired.attest.clone import whole_history
    from reconciler.desired.attest.review import review
    from reconciler.trust.statements import write

    desk = Desk.open(repository, attestations, remote, as_json)
    mine = load(key)
    case = _case(desk, base, revision, branch)
    with whole_history():
        approval = _approval(desk, case, mine, plan, _end(expires))
        found = review(case, (approval, mine.public))
    click.echo("\n".join(words(case, approval, found)), err=True)
    ask("Approve this?", yes=yes or as_json)
    more = {"review": document(found)}
    finish_with_key(desk, Ending(unsigned, output), write(approval), mine, more)


def _case(desk: Desk, base: str, revision: str, branch: str) -> "Case":
    from reconciler.errors import InputError

    clone = desk.clone
    before, head = clone.commit(base), clone.commit(revision)
    if not clone.contains(head, before):
        message = f"{head[:12]} does not contain {before[:12]}, so its tree is not what would land"
        raise InputError(message, hint=f"Bring {base} into it first: git merge {base}, or rebase.")
    return clone.case(before, head, branch, desk.branch.read(desk.now), desk.now)


def _approval(
    desk: Desk, case: "Case", key: "Key", plan: str | None, expires: datetime | None
) -> "Approval":
    from reconciler.desired.attest.review import principal_of
    from reconciler.trust.statements import Approval

    base = str(case.start)
    principal = principal_of(case.files.signers(base, base), key.public, case)
    tree = desk.clone.tree(case.head)
    return Approval(case.offer.branch, base, tree, plan, principal, desk.now, expires)


def words(case: "Case", approval: "Approval", found: "Review") -> list[str]:
    """What is approved, for the person who has to decide."""
    lines = [
        f"approve  tree {approval.tree} of {case.head[:12]}, for branch {approval.branch}",
        f"as       {approval.approver}",
        f"since    {case.start}",
    ]
    if not found.policy:
        lines.append("the base has no trust policy: nobody needs to approve")
    for row in found.rules:
        lines += _row(row, policy=found.policy)
    missing = [f"{row.missing} for {row.rule}" for row in found.rules if row.missing]
    if missing:
        who = "whoever merges counts too, if they did not write it"
        lines.append(f"still missing: {', '.join(missing)} ({who})")
    return lines


def _row(row: "RuleReview", *, policy: bool) -> list[str]:
    from reconciler.desired.trees import shown

    lines = [_head(row)] if policy else []
    lines += [f"    {shown(path)}" for path in row.paths[:_PATHS_SHOWN]]
    more = len(row.paths) - _PATHS_SHOWN
    return [*lines, f"    and {more} more"] if more > 0 else lines


def _head(row: "RuleReview") -> str:
    if row.rule is None:
        return "no rule owns these: the change will be refused"
    client = f" ({row.client})" if row.client else ""
    parts = [f"rule {row.rule}{client}: needs {row.needs}"]
    for label, names in (
        ("written by", row.authors),
        ("approved by", row.counted),
        ("passed over:", row.passed_over),
    ):
        if names:
            parts.append(f"{label} {', '.join(names)}")
    return "; ".join(parts)


def _end(text: str | None) -> datetime | None:
    """The last instant of a day, or the instant."""
    if text is None:
        return None
    whole = f"{text}T23:59:59Z" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else text
    try:
        return datetime.strptime(whole, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise click.UsageError("--expires takes 2026-12-31 or 2026-12-31T18:00:00Z") from error


def document(found: "Review") -> list[dict[str, Any]]:
    """A review for machines."""
    return [
        {
            "rule": row.rule,
            "client": row.client,
            "paths": list(row.paths),
            "needs": row.needs,
            "authors": list(row.authors),
            "approved": list(row.counted),
            "missing": row.missing,
        }
        for row in found.rules
    ]
