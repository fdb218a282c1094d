"""Tables stay within the width and never lose the price."""

from hypothesis import given
from hypothesis import strategies as st

from planner.report.table import Column, bar, render_table, wrap

COLUMNS = [
    Column("WORKLOAD", clip=True, min_width=8),
    Column("KIND", drop=2),
    Column("LAYOUT", clip=True, drop=1),
    Column("USD", ">"),
]


@given(
    st.lists(st.tuples(*[st.text("abc123", max_size=30)] * 3, st.integers(0, 10**9)), max_size=6),
    st.integers(60, 200),
)
def test_no_line_is_wider_than_asked_and_each_price_is_there(rows: list, width: int) -> None:
    cells = [[*map(str, row[:3]), f"{row[3]:,}.00"] for row in rows]
    lines = render_table(COLUMNS, cells, width=width)
    assert all(len(line) <= width for line in lines)
    for row, line in zip(cells, lines[1:], strict=True):
        assert line.endswith(row[3])


def test_columns_are_dropped_by_rank_before_anything_is_clipped() -> None:
    lines = render_table(COLUMNS, [["chat", "inference", "tp2", "1.00"]], width=25)
    assert lines[0].split() == ["WORKLOAD", "LAYOUT", "USD"]


NAMES = [
    "v100-old",
    "a100-contract",
    "8 x a100-sxm4-80gb",
    "dp2 zero-3 recompute offload:cpu *",
    "",
]


@given(
    st.lists(st.lists(st.sampled_from(NAMES), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(60, 200),
)
def test_whatever_the_cells_no_line_is_too_wide_and_no_name_is_cut(
    rows: list[list[str]], width: int
) -> None:
    columns = [Column(f"C{i}", clip=True) for i in range(3)] + [Column("N", ">")]
    lines = render_table(columns, [[*row, "12,345.00"] for row in rows], width=width)
    assert all(len(line) <= width for line in lines)
    assert "~" not in "".join(lines)
    assert sum("12,345.00" in line for line in lines) == len(rows)


def test_a_long_cell_is_folded_at_spaces_and_its_star_stays_with_its_word() -> None:
    columns = [Column("LAYOUT", clip=True), Column("USD", ">")]
    lines = render_table(columns, [["dp2 zero-3 offload:cpu *", "1.00"], ["tp2", "2.00"]], width=20)
    assert lines == [
        "LAYOUT           USD",
        "dp2 zero-3      1.00",
        "offload:cpu *",
        "tp2             2.00",
    ]


def test_a_name_is_parted_at_hyphens_before_it_is_cut() -> None:
    columns = [Column("POOL", clip=True, min_width=4), Column("USD", ">")]
    assert render_table(columns, [["a100-contract", "1.00"]], width=15)[1:] == [
        "a100-      1.00",
        "contract",
    ]


def test_a_cell_takes_the_room_of_the_empty_ones_behind_it() -> None:
    columns = [Column("A", clip=True), Column("B"), Column("USD", ">")]
    rows = [["chat", "1 x l40s", "5.00"], ["(pool, idle)", "", "1.00"]]
    assert render_table(columns, rows, width=22) == [
        "A     B          USD", "chat  1 x l40s  5.00", "(pool, idle)    1.00",
    ]  # fmt: skip


def test_numbers_that_find_no_room_go_below_with_the_names_again() -> None:
    columns = [Column("PERIOD"), *(Column(n, ">") for n in ("rent", "energy", "total"))]
    lines = render_table(
        columns,
        [["2026-10", "1,000.00", "2,000.00", "3,000.00"]],
        width=30,
        footer=["ALL", "1", "2", "3"],
    )
    assert lines == [
        "PERIOD       rent    energy", "2026-10  1,000.00  2,000.00", "---------------------------",
        "ALL             1         2", "",
        "PERIOD      total", "2026-10  3,000.00", "-----------------", "ALL             3",
    ]  # fmt: skip


def test_the_last_resort_goes_before_a_table_is_parted() -> None:
    columns = [Column("A"), Column("GiB", ">", last_resort=True), Column("USD", ">")]
    assert render_table(columns, [["chat", "10.0 / 20.0", "1.00"]], width=12) == [
        "A      USD",
        "chat  1.00",
    ]


def test_the_footer_stands_below_a_rule() -> None:
    lines = render_table(COLUMNS, [["a", "b", "c", "1.00"]], footer=["TOTAL", "", "", "1.00"])
    assert set(lines[-2]) == {"-"}
    assert lines[-1].startswith("TOTAL")


@given(st.floats(-1, 2))
def test_a_bar_always_has_its_width(share: float) -> None:
    assert len(bar(share, 8)) == 8


def test_wrap_keeps_layout_names_whole() -> None:
    lines = wrap("pool v100-box is short", first="- ", rest="  ", width=14)
    assert "  v100-box is" in lines
