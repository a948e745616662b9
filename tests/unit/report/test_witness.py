from reconciler.evidence.objection import Objection
from reconciler.evidence.witnessing import Look, Seen
from reconciler.report.witness import as_document, render

SEEN = Seen(1200, bytes(range(32)), "note")
SHOWN = {"commit": "c" * 40, "size": 7, "root": None, "note": None}
LOOKS = (
    Look("reconciler/a/one", 30, 1230, SEEN, True, None),
    Look("reconciler/a/two", 4, 1204, SEEN, False, None),
    Look("reconciler/a/new", 3, 3, None, False, None),
    Look(
        "reconciler/a/bad",
        0,
        0,
        SEEN,
        False,
        Objection("reconciler/a/bad", "tree", "x\x1b[2J", SHOWN),
    ),
)


def test_each_log_is_one_line_without_control_characters() -> None:
    assert render(LOOKS).splitlines() == [
        "COSIGNED  reconciler/a/one  1,200 entries vouched for, root 0001020304050607…, "
        "30 of 1,230 entries examined",
        "UNCHANGED reconciler/a/two  1,200 entries vouched for, root 0001020304050607…, "
        "4 of 1,204 entries examined",
        "WAITING   reconciler/a/new  no checkpoint yet, 3 of 3 entries examined",
        "REFUSED   reconciler/a/bad  tree: x?[2J; 1,200 entries stay vouched for",
    ]


def test_one_objection_is_not_fine() -> None:
    document = as_document("witness/hub", "vkey", LOOKS)
    assert document["ok"] is False
    assert as_document("witness/hub", "vkey", LOOKS[:3])["ok"] is True
    assert document["witness"] == {"name": "witness/hub", "verifierKey": "vkey"}
    assert document["logs"][3] == {
        "origin": "reconciler/a/bad",
        "cosigned": False,
        "examined": 0,
        "size": 0,
        "vouchedFor": {"size": 1200, "root": SEEN.root.hex(), "note": "note"},
        "objection": {"reason": "tree", "message": "x\x1b[2J", "shown": SHOWN},
    }
