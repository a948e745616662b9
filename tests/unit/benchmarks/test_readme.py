from benchmarks.__main__ import _merged
from benchmarks.table import Table


def table(name: str, value: float) -> Table:
    return Table(name, "t", {"cpu": "CPU ms"}, {"ours": {"cpu": [value]}}, base="ours")


def test_a_table_replaces_all_older_ones_of_its_benchmark_and_no_other() -> None:
    old = [table("cli_start", 1.0), table("hook_cost, 1 entry", 2.0), table("hook_cost, many", 3.0)]
    below = "\n\n" + "\n".join(one.markdown() for one in old)

    merged = _merged(below, [table("hook_cost, 1 entry", 4.0), table("host_tick, cold", 5.0)])

    assert [part.splitlines()[0] for part in merged] == [
        "## cli_start",
        "## hook_cost, 1 entry",
        "## host_tick, cold",
    ]
    assert merged[0] == old[0].markdown()
    assert "4.00" in merged[1]


def test_what_was_written_is_read_again() -> None:
    tables = [table("cli_start", 1.0), table("verify_year", 2.0)]
    written = "\n\n" + "\n".join(_merged("", tables))
    assert "\n\n" + "\n".join(_merged(written, [])) == written


def test_a_table_of_a_benchmark_that_is_gone_is_dropped() -> None:
    assert _merged("## ledger_flatness\n\ntext\n", []) == []
