"""Money of supply terms, to the cent and on the safe side."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from planner.options.power import Draw
from planner.options.terms import Energy, Term, node_cost_cents, own_nodes_cents, running_cents

PRICE = st.decimals("0.01", "500", places=4)


def test_a_rented_node_costs_730_hours() -> None:
    assert node_cost_cents(Term("rented", 1, node_hour=Decimal("27.44705"))) == 2003635


def test_an_owned_node_costs_its_upkeep() -> None:
    assert node_cost_cents(Term("owned", 1, node_month=Decimal("150.50"))) == 15050


def test_energy_of_a_kilowatt_for_a_month() -> None:
    """1 kW x 730 h x PUE 1.3 x 0.12 USD/kWh = 113.88 USD."""
    term = Term("owned", 1, pays_energy=True)
    energy = Energy(Decimal("0.12"), Fraction(13, 10))
    draw = Draw(4, Fraction(250))
    assert running_cents(term, energy, draw, gpus=4, busy=Fraction(1), hours=None) == 11388


@given(PRICE, st.floats(0.01, 2000), st.integers(1, 8))
def test_jobs_pay_for_started_hours(price: Decimal, hours: float, nodes: int) -> None:
    term = Term("rented", 8, node_hour=price)
    cents = own_nodes_cents(term, nodes=nodes, hours=hours)
    exact = price * nodes * 100
    assert cents >= exact * Decimal(hours)
    assert cents < exact * (Decimal(hours) + 1) + 1


@given(PRICE, st.integers(1, 64))
def test_gpus_rented_one_by_one_pay_per_gpu(price: Decimal, gpus: int) -> None:
    term = Term("rented", 8, gpu_hour=price)
    draw = Draw(8, Fraction(700))
    cents = running_cents(term, Energy(), draw, gpus=gpus, busy=Fraction(1), hours=None)
    assert 0 <= cents - price * gpus * 73000 < 1
