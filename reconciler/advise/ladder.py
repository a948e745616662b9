"""How strictly an endpoint is asked for the form of its answer.

Servers differ: some refuse a JSON Schema, some refuse ``json_object``, some know neither. Each
question begins at the level that worked last; what is answered is validated the same way at every
level, so a lower one costs quality and never safety.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.guard.advice_budget import Level


def response_format(level: Level, schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The member ``response_format`` of a request; None for none."""
    match level:
        case "json-schema":
            named = {"name": "choice", "strict": True, "schema": dict(schema)}
            return {"type": "json_schema", "json_schema": named}
        case "json-object-schema":
            return {"type": "json_object", "schema": dict(schema)}
        case "json-object":
            return {"type": "json_object"}
        case "text":
            return None
