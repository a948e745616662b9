"""A check as another package would declare it, behind an entry point."""

from reconciler.model.check import Check, Field

CHECK = Check(
    id="EXT-ONE-001",
    title="A foreign thing is seen",
    platforms=frozenset({"linux"}),
    source="a package outside this tree",
    fields={"present": Field("bool", "Whether it is there.")},
    probes=lambda _params: (),
    parse=lambda _params, _answers: {"present": True},
)
