"""Rounding rows hold for every plan, tighten the root, and price exactly."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.optimize.backend import Stop
from planner.optimize.blocks import demands
from planner.optimize.bound import Pricer
from planner.optimize.branching import Search, Work
from planner.optimize.exact import exact_model
from planner.optimize.generation import Relaxed
from planner.optimize.linking import Extra, with_rows
from planner.optimize.rounding import FINE, Around, Rounder, _best_minorant, steps
from planner.optimize.tighten import tightened
from planner.options.problem import Problem
from planner.verify.brute_force import brute_force
from tests.benchmarks.instances import generate
from tests.properties.tiny import tiny_problem


def search(case: Problem) -> Search:
    build = exact_model(case, demands(case))
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    return Search(build, Work(), Stop(), lambda: None, lambda cost, bound: None)


def rows_of(found: Search) -> tuple[Relaxed, list[Extra]]:
    root = found.relax(found.pricer.boxes, found.start_duals, 300)
    return root, Rounder(found.link).broken(root, found.generator.assignments)


@given(
    st.integers(2, 8),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=6),
)
def test_no_plan_breaks_the_inequality(size, taken_and_middle):
    """Nodes needed at least, against the row around any places."""
    taken = sum(one for one, _ in taken_and_middle)
    around = sum(middle for _, middle in taken_and_middle)
    rest = -around % size
    nodes, least = -(-taken // size), -(-around // size)
    worth = sum(steps(one - middle, size, rest) for one, middle in taken_and_middle)
    assert nodes * (size - rest) >= least * (size - rest) + worth


@given(
    st.integers(0, 20),
    st.integers(1, 8),
    st.integers(1, 4),
    st.integers(2, 8),
    st.dictionaries(st.integers(1, 20), st.floats(0.05, 1.0), max_size=3),
    st.data(),
)
def test_what_mixes_pay_stays_below(middle, least, step, size, seen, data):
    least = least * step
    rest = data.draw(st.integers(1, size - 1))
    found = _best_minorant(middle, least, step, size, rest, seen)
    base = steps(-middle, size, rest)
    assert found.charge >= 0
    for places in range(least, least + 12 * size, step):
        paid = found.charge * found.run + FINE * found.rise * places
        assert paid <= FINE * found.run * (steps(places - middle, size, rest) - base)


@pytest.mark.parametrize("seed", [0, 4, 8])
def test_rows_hold_for_the_best_plan_known(seed):
    found = search(generate(20, 20, seed))
    _, extras = rows_of(found)
    found.work = Work(nodes=1)
    found.run()
    values, build = found.found.values, found.link.build
    assert values is not None
    for extra in extras:
        total = extra.per_node * values[found.link.supply_columns[extra.supply_column]]
        for (demand, pick), worth in extra.picks.items():
            total += worth * values[build.picks[demand][pick]]
        for (demand, supply), worth in extra.charges.items():
            on_supply = [
                values[column]
                for at, column in enumerate(build.picks[demand])
                if build.demands[demand].picks[at].facts.supply == supply
                and build.demands[demand].picks[at].facts.gpus
            ]
            total += worth * any(on_supply)
        assert total <= extra.right


def any_rows(random: Random, rounder: Rounder) -> list[Extra]:
    """A row around any places for each measure."""
    found = []
    for measure in rounder.measures:
        places = {demand: random.randint(0, 5) for demand in measure.places}
        rest = -sum(places.values()) % measure.per_node
        levels = {demand: {random.randint(1, 6): random.random()} for demand in measure.places}
        if rest:
            found.append(rounder._row(measure, Around(places, 0.0, rest), levels, 0.0)[0])
    return found


@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_bound_holds_at_random_prices_of_rounding_rows(first):
    tried = 0
    for seed in range(first, first + 100):
        random = Random(seed)
        case = tiny_problem(random)
        # Requests shared out by size never come to this route.
        if any(not block.required or block.size_parts for block in case.blocks):
            continue
        found = search(case)
        rows = any_rows(random, Rounder(found.link))
        truth = brute_force(case).cost_cents if rows else None
        if truth is None:
            continue
        tried += 1
        link = with_rows(found.link, rows)
        pricer = Pricer(link)
        for _ in range(5):
            prices = [random.choice([0, random.randint(0, 200_000)]) for _ in found.link.right]
            prices += [random.choice([0, random.randint(0, 90)]) for _ in rows]
            priced = pricer.price(prices)
            assert priced is None or priced.bound <= truth
    assert tried


def test_the_root_of_a_fleet_of_few_nodes_rises():
    found = search(generate(20, 20, 0))
    plain = found.relax(found.pricer.boxes, found.start_duals, 300)
    assert plain.best is not None
    after = tightened(found, plain, 300).best
    assert after is not None
    assert after.bound > plain.best.bound * 1.02
    assert after.bound <= 8_712_269
