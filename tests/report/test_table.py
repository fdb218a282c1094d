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
