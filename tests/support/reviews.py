"""Reviews for tests of what is written about them: quiet ones, and one whose every word attacks."""

from datetime import UTC, datetime
from typing import Any

from reconciler.errors import Where
from reconciler.model.review import (
    ActionForecast,
    ApprovalChange,
    FieldChange,
    HostChange,
    HostForecast,
    Named,
    Need,
    Remark,
    Review,
    RuleChange,
    RunbookChange,
    TrustChange,
    Turn,
)

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BASE = Named("main", "1" * 40, "2" * 40)
HEAD = Named("change", "3" * 40, "4" * 40)


def make_review(**changes: Any) -> Review:
    """Two revisions of a fleet of one host, between which nothing differs."""
    fields: dict[str, Any] = {
        "base": BASE,
        "head": HEAD,
        "at": AT,
        "digest": "a" * 64,
        "hosts": {"clinic/desk": "b" * 64},
        "compared": True,
    }
    return Review(**(fields | changes))


def make_host_change(**changes: Any) -> HostChange:
    fields: dict[str, Any] = {
        "target": "clinic/desk",
        "change": "changed",
        "old_digest": "c" * 64,
        "new_digest": "b" * 64,
        "settings": (),
        "rules": (),
        "runbooks": (),
        "exceptions": (),
    }
    return HostChange(**(fields | changes))


def make_runbook_change(**changes: Any) -> RunbookChange:
    fields: dict[str, Any] = {
        "runbook": "RB-SSH-001",
        "change": "added",
        "mode": "auto",
        "blast_radius": "One unit",
        "digest": "d" * 64,
        "approved": True,
        "rules": ("ssh-root-login",),
        "fields": (),
    }
    return RunbookChange(**(fields | changes))


def everything(word: str) -> Review:
    """A review in which every text that a repository can choose is one word."""
    field = FieldChange(word, word, f"{word}2")
    rule = RuleChange(word, "changed", (field,))
    remarks = tuple(
        Remark(severity, "graph", Where(word, 7, word), word, word)
        for severity in ("error", "warning")
    )
    return make_review(
        base=Named(word, "1" * 40, "2" * 40),
        remarks=remarks,
        older=3,
        changes=(
            make_host_change(
                target=word,
                settings=(field,),
                rules=(rule,),
                exceptions=(rule,),
                runbooks=(
                    make_runbook_change(
                        runbook=word, mode=word, blast_radius=word, rules=(word,), fields=(field,)
                    ),
                ),
            ),
        ),
        hosts={word: "b" * 64},
        trust=(TrustChange(word, word, "changed", (field,)),),
        needs=(
            Need(
                rule=word,
                authors=(word,),
                approvals=1,
                approvers=(word,),
                client=word,
                people=(word,),
                paths=(word,),
            ),
        ),
        approvals=(ApprovalChange(approval=word, change="removed", why=word),),
        paths=(word,),
        forecast=(
            HostForecast(
                target=word,
                observed_at=AT,
                confirmed_at=AT,
                seq=3,
                turns=(Turn(rule=word, now="pass", then="fail", why=word),),
                stays=1,
                actions=(
                    ActionForecast(
                        runbook=word,
                        rules=(word,),
                        ruling="defer",
                        guard="cooldown",
                        reason=word,
                        runs_at=AT,
                        prechecks=1,
                    ),
                ),
            ),
            HostForecast(target=word, why_not=word),
        ),
    )
