"""Power of nodes: what limits count, and what energy is paid for."""

from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import planner
from planner.options.energy import energy_of, power_words
from planner.options.power import Draw, scaled

IDLE = Fraction(1, 5)
DGX = Draw(8, Fraction(700), Fraction(10_200))
CARDS = Draw(8, Fraction(700))


@given(st.integers(1, 16), st.integers(50, 1200), st.integers(0, 5000), st.fractions(0, 1))
def test_a_full_node_at_full_load_takes_its_power(
    gpus: int, tdp: int, more: int, idle: Fraction
) -> None:
    node = Draw(gpus, Fraction(tdp), Fraction(gpus * tdp + more))
    standing = node.standing_node_w(idle) * 730
    working = node.watt_hours(gpus, idle, busy_h=Fraction(730), held_h=Fraction(730))
    assert standing + working == (gpus * tdp + more) * 730


def test_gpus_alone_draw_between_idle_and_full() -> None:
    full = CARDS.watt_hours(2, IDLE, busy_h=Fraction(100), held_h=Fraction(100))
    idle = CARDS.watt_hours(2, IDLE, busy_h=Fraction(0), held_h=Fraction(100))
    assert (full, idle) == (2 * 700 * 100, 2 * 140 * 100)
    assert CARDS.standing_node_w(IDLE) == 0


def test_limits_count_the_node_or_its_gpus_never_both() -> None:
    assert (DGX.peak_node_w, DGX.peak_gpus_w(3)) == (10_200, 0)
    assert (CARDS.peak_node_w, CARDS.peak_gpus_w(3)) == (0, 2100)


def test_watts_of_limits_are_rounded_up() -> None:
    assert Draw(1, Fraction(3501, 10)).peak_gpus_w(1) == 351
    assert Draw(1, Fraction(1), Fraction(1001, 10)).peak_node_w == 101


def test_a_larger_node_takes_more_power() -> None:
    assert scaled(DGX, 16).node_w == 20_400
    assert scaled(CARDS, 16).node_w is None


def test_the_plan_says_where_a_nodes_power_comes_from(tmp_path: Path) -> None:
    text = (
        "scenario: words\nlimits: {power: 30 kW}\ninventory:\n"
        "  - {pool: told, node: {type: onprem-dgx-h100, power: 9 kW}, owned: {nodes: 1}}\n"
        "  - {pool: known, node: onprem-dgx-h100, owned: {nodes: 1}}\n"
        "workloads:\n"
        "  - {name: chat, kind: inference, model: llama-3.1-8b, context: 2048, demand: {concurrent: 1, prompt: 9, "
        "output: 9}}\n"
    )
    path = tmp_path / "words.yaml"
    path.write_text(text)
    scenario = planner.load(path)
    words = " ".join(power_words(scenario, energy_of(scenario)))
    assert "told 9 kW, known 10.2 kW (catalog, unconfirmed)" in words
    assert "at full load, without cooling" in words
    assert "kWh" not in words
