"""What a rule expects of one observed field: a small closed set of comparisons."""

from dataclasses import dataclass
from typing import Literal, get_args

from reconciler.model.values import Scalar

Op = Literal[
    "equals",
    "one_of",
    "at_least",
    "at_most",
    "matches",
    "contains_all",
    "contains_none",
    "subset_of",
    "same_set",
    "absent",
    "each",
    "all",
    "any",
    "not",
]

OPS: tuple[Op, ...] = get_args(Op)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One comparison, or a combination of comparisons.

    Attributes:
        op: ``equals`` a scalar or list; ``one_of`` scalars; ``at_least``/``at_most`` an integer;
            ``matches`` a regular expression over the whole string; ``contains_all``,
            ``contains_none``, ``subset_of``, ``same_set`` over lists (order does not count);
            ``absent`` (true: the field is ``None``; false: it is there); ``each`` item of a list;
            ``all``, ``any``, ``not`` combine.
        value: The operand of a comparison; ``None`` for a combination.
        inner: The operands of ``each`` (one), ``not`` (one), ``all`` and ``any``.
    """

    op: Op
    value: Scalar | tuple[Scalar, ...] | None = None
    inner: tuple["Expectation", ...] = ()

    def __str__(self) -> str:
        match self.op:
            case "all" | "any":
                return f" {'and' if self.op == 'all' else 'or'} ".join(map(str, self.inner))
            case "not" | "each":
                return f"{self.op} ({self.inner[0]})"
            case "absent":
                return "absent" if self.value else "present"
            case "equals":
                return _show(self.value)
            case _:
                return f"{self.op.replace('_', ' ')} {_show(self.value)}"


def _show(value: Scalar | tuple[Scalar, ...] | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_show, value)) + "]"
    return str(value)
