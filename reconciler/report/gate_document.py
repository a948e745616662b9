"""A review as one JSON document, for machines."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from reconciler.model.review import Remark, Review

FORMAT = 1


def as_document(review: Review) -> dict[str, Any]:
    """Everything that a review says; every list is there, also when it is empty."""
    plain: dict[str, Any] = _plain(asdict(review))
    remarks = [remark_body(remark) for remark in review.remarks]
    return {
        "format": FORMAT,
        "ok": not review.errors,
        **plain,
        "plan": review.digest and f"sha256:{review.digest}",
        "remarks": remarks,
    }


def remark_body(remark: Remark) -> dict[str, Any]:
    """One remark, flat."""
    return {
        "severity": remark.severity,
        "subject": remark.subject,
        "file": _text(remark.where.file),
        "line": remark.where.line,
        "field": remark.where.field and _text(remark.where.field),
        "message": _text(remark.message),
        "hint": _text(remark.hint),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Without lone surrogates, which no JSON reader agrees about."""
    return text.encode("utf-8", "backslashreplace").decode()
