"""Rounding rows: whole nodes above what several workloads need together.

Of the places of a supply's nodes (GPUs, or room for replicas of one size), workload d takes w_d, and
sum w_d <= N n with n whole. Around places g_d that the relaxation likes, with r = (-sum g_d) mod N and
F(x) = floor(x / N) + max(0, x mod N - r) / (N - r), every plan obeys (mixed-integer rounding)

    n >= ceil(sum g_d / N) + sum F(w_d - g_d).

A workload that takes any mix of replicas pays a charge for using the supply and a price per place that
together stay below its F(w) - F(-g): a weaker row, but one whose prices a covering problem can take.

Source: H. Marchand and L. Wolsey, Aggregation and mixed integer rounding to solve MIPs, 2001.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from planner.optimize.bound import Assignment
from planner.optimize.generation import Relaxed
from planner.optimize.linking import Extra, Linked

SHARES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
"""Places that a workload takes with at least this share of its assignments are tried as those to round around."""
LEAST = 1e-3
"""Nodes by which a row must be broken."""
FINE = 1000
"""Coefficients are whole numbers of this part of a row's unit."""
TOGGLES = 12
"""Changes of one workload's places tried in a row, at most."""

Levels = dict[int, dict[int, float]]
"""Demand -> places taken -> share of its assignments."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to count places on the shared nodes of a supply."""

    supply: int
    column: int
    """Supply column of its shared nodes."""
    per_node: int
    places: Mapping[int, Mapping[int, int]]
    """Demand -> pick -> places of one pick."""


def steps(places: int, per_node: int, rest: int) -> int:
    """F times (per_node - rest), a whole number.

    >>> [steps(x, 8, 3) for x in (-5, -1, 0, 3, 4, 8, 12)]
    [-5, -1, 0, 0, 1, 5, 6]
    """
    whole, part = divmod(places, per_node)
    return whole * (per_node - rest) + max(0, part - rest)


@dataclass(frozen=True, slots=True)
class Minorant:
    """A charge for using a supply at all, and rise / run for each place, in units of a row."""

    charge: int
    rise: int
    run: int


@dataclass(frozen=True, slots=True)
class Around:
    """The places that a row is rounded around, and by how many nodes the relaxation breaks it."""

    places: dict[int, int]
    broken_by: float
    rest: int


class Rounder:
    """Finds rows that a relaxation breaks."""

    def __init__(self, link: Linked) -> None:
        self.link = link
        self.measures = _measures(link)
        self._minorants: dict[tuple[int, ...], Minorant] = {}
        self._of_pick: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        """Measure and places of each pick."""
        for number, measure in enumerate(self.measures):
            for demand, of_demand in measure.places.items():
                for at, places in of_demand.items():
                    self._of_pick[demand, at].append((number, places))

    def broken(self, relaxed: Relaxed, assignments: Sequence[Assignment]) -> list[Extra]:
        """Rows that the relaxation breaks: for each supply the one it breaks most."""
        levels = self._levels(relaxed, assignments)
        best: dict[int, tuple[float, Extra]] = {}
        for number, measure in enumerate(self.measures):
            if number not in levels or measure.column >= len(relaxed.supply_values):
                continue
            nodes = self._nodes(measure, relaxed)
            around = _most_broken(levels[number], measure.per_node, nodes)
            if around is None:
                continue
            extra, broken_by = self._row(measure, around, levels[number], nodes)
            if broken_by > max(LEAST, best.get(measure.supply, (0.0, extra))[0]):
                best[measure.supply] = broken_by, extra
        return [extra for _, extra in best.values()]

    def _levels(self, relaxed: Relaxed, assignments: Sequence[Assignment]) -> dict[int, Levels]:
        """Places that each demand takes in the relaxation, by measure."""
        found: dict[int, Levels] = {}
        for value, assignment in zip(relaxed.values, assignments, strict=False):
            if value <= 1e-9:
                continue
            taken: dict[int, int] = defaultdict(int)
            for at, count in assignment.counts:
                for number, places in self._of_pick.get((assignment.demand, at), ()):
                    taken[number] += places * count
            for number, places in taken.items():
                of_demand = found.setdefault(number, {}).setdefault(assignment.demand, {})
                of_demand[places] = of_demand.get(places, 0.0) + value
        return found

    def _nodes(self, measure: Measure, relaxed: Relaxed) -> float:
        """Nodes in the relaxation; all there are where they cost nothing."""
        model = self.link.build.model
        column = self.link.supply_columns[measure.column]
        if model.objective.get(column, 0) > 0:
            return relaxed.supply_values[measure.column]
        return float(model.highs[column])

    def _row(
        self, measure: Measure, around: Around, levels: Levels, nodes: float
    ) -> tuple[Extra, float]:
        """The row, and by how many nodes the relaxation breaks it with what mixes pay in it."""
        size, rest = measure.per_node, around.rest
        unit = FINE * (size - rest)
        picks: dict[tuple[int, int], int] = {}
        charges: dict[tuple[int, int], int] = {}
        right = -sum(around.places.values()) // size * unit
        total = -right - unit * nodes
        for demand, of_demand in measure.places.items():
            middle, seen = around.places.get(demand, 0), levels.get(demand, {})
            base = steps(-middle, size, rest)
            right -= FINE * base
            total += FINE * base
            if self.link.build.demands[demand].single:
                for at, places in of_demand.items():
                    worth = FINE * (steps(places - middle, size, rest) - base)
                    picks[demand, at] = worth
                total += sum(
                    share * FINE * (steps(w - middle, size, rest) - base)
                    for w, share in seen.items()
                )
                continue
            minorant = self._minorant(middle, of_demand.values(), size, rest, seen)
            charges[demand, measure.supply] = minorant.charge
            for at, places in of_demand.items():
                picks[demand, at] = FINE * minorant.rise * places // minorant.run
            slope = FINE * minorant.rise / minorant.run
            total += sum(share * (minorant.charge + slope * w) for w, share in seen.items())
        extra = Extra(
            f"rounding[{measure.supply},{size}]",
            right,
            measure.column,
            -unit,
            {key: worth for key, worth in picks.items() if worth},
            {key: worth for key, worth in charges.items() if worth},
        )
        return extra, total / unit

    def _minorant(
        self,
        middle: int,
        places: Collection[int],
        size: int,
        rest: int,
        seen: Mapping[int, float],
    ) -> Minorant:
        """The best charge and price per place below F; for a demand that is not seen here, worked out once."""
        if seen:
            return _best_minorant(middle, min(places), gcd(*places), size, rest, seen)
        key = middle, min(places), gcd(*places), size, rest
        if key not in self._minorants:
            self._minorants[key] = _best_minorant(*key, {})
        return self._minorants[key]


def _measures(link: Linked) -> list[Measure]:
    """GPUs of each supply, and its places for replicas of each size in use."""
    build = link.build
    at_of = {column: at for at, column in enumerate(link.supply_columns)}
    found = []
    for supply, shared in enumerate(build.shared):
        if shared is None or shared not in at_of:
            continue
        node_gpus = build.problem.supplies[supply].node_gpus
        alone = [
            (number, at, pick)
            for number, at, pick, _ in build.on_supply(supply)
            if pick.facts.gpus
            and len(pick.facts.supplies) == 1
            and len(build.demands[number].copies) == 1
        ]
        for size in sorted({1, *(pick.facts.gpus for _, _, pick in alone)}):
            places: dict[int, dict[int, int]] = defaultdict(dict)
            for number, at, pick in alone:
                if pick.facts.gpus >= size:
                    places[number][at] = pick.facts.gpus // size * pick.replicas
            if node_gpus // size > 1 and len(places) > 1:
                found.append(Measure(supply, at_of[shared], node_gpus // size, places))
    return found


def _most_broken(levels: Levels, size: int, nodes: float) -> Around | None:
    """The places to round around that break the row most, from several starts; None if none breaks it."""
    best: Around | None = None
    for share in SHARES:
        start = {
            demand: places
            for demand, seen in levels.items()
            if (places := _reached(seen, share)) is not None
        }
        found = _climbed(start, levels, size, nodes)
        if best is None or found.broken_by > best.broken_by:
            best = found
    return best if best is not None and best.broken_by > LEAST else None


def _reached(seen: Mapping[int, float], share: float) -> int | None:
    """The most places that at least this share of a demand's assignments take."""
    total = 0.0
    for places in sorted(seen, reverse=True):
        total += seen[places]
        if total >= share:
            return places
    return None


def _climbed(places: dict[int, int], levels: Levels, size: int, nodes: float) -> Around:
    """Changes one demand's places at a time for as long as that breaks the row more."""
    best = _broken(places, levels, size, nodes)
    open_demands = [demand for demand, seen in levels.items() if max(seen.values()) < 1 - 1e-6]
    for _ in range(TOGGLES):
        tries = [
            _broken({**best.places, demand: middle}, levels, size, nodes)
            for demand in open_demands
            for middle in (0, *levels[demand])
            if best.places.get(demand, 0) != middle
        ]
        better = max(tries, key=lambda one: one.broken_by, default=best)
        if better.broken_by <= best.broken_by + 1e-6:
            break
        best = better
    return best


def _broken(places: dict[int, int], levels: Levels, size: int, nodes: float) -> Around:
    """By how many nodes the relaxation breaks the row around these places."""
    taken = sum(places.values())
    rest = -taken % size
    if rest == 0:
        return Around(places, -1.0, rest)
    total = -(-taken // size) * (size - rest)
    parts = 0.0
    for demand, seen in levels.items():
        middle = places.get(demand, 0)
        none = 1.0 - sum(seen.values())
        parts += none * steps(-middle, size, rest)
        parts += sum(share * steps(w - middle, size, rest) for w, share in seen.items())
    return Around(places, (total + parts) / (size - rest) - nodes, rest)


def _best_minorant(
    middle: int, least: int, step: int, size: int, rest: int, seen: Mapping[int, float]
) -> Minorant:
    """Of all charges and prices per place below F(w - middle) - F(-middle), those worth most where w was seen.

    Beyond one period of nodes and steps F repeats, higher by what the steepest price allowed gains.
    """
    base = steps(-middle, size, rest)
    period = size * step // gcd(size, step)
    points = [(w, steps(w - middle, size, rest) - base) for w in range(least, least + period, step)]
    reach = [*points, *((w + period, h + period // size * (size - rest)) for w, h in points)]
    slopes = {(0, 1), (size - rest, size)}
    slopes |= {
        (high - low, right - left)
        for left, low in points
        for right, high in reach
        if right > left and 0 < (high - low) * size <= (size - rest) * (right - left)
    }
    best, most = Minorant(0, 0, 1), (0.0, 0.0)
    for rise, run in sorted(slopes):
        charge = FINE * min(h * run - rise * w for w, h in points) // run
        if charge < 0:
            continue
        slope = FINE * rise / run
        value = sum(share * (charge + slope * w) for w, share in seen.items())
        worth = value, charge + slope * least
        if worth > most:
            best, most = Minorant(charge, rise, run), worth
    return best
