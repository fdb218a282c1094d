"""The long comparison with brute force: `python -m tests.properties.ten_thousand [FIRST LAST]`."""

import dataclasses
import sys
from collections import Counter
from random import Random

from planner.verify.brute_force import brute_force
from tests.properties.test_brute_force import compare
from tests.properties.tiny import features, tiny_problem


def main() -> None:
    first, last = (int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (0, 10_000)
    counts: Counter[str] = Counter()
    for seed in range(first, last):
        problem = tiny_problem(Random(seed))
        _, truth = compare(problem)
        counts.update(features(problem))
        counts["infeasible"] += truth.cost_cents is None
        ample = tuple(dataclasses.replace(s, max_nodes=s.max_nodes + 4) for s in problem.supplies)
        eased = brute_force(dataclasses.replace(problem, supplies=ample))
        counts["binding stock"] += eased.cost_cents != truth.cost_cents
    print(f"{last - first} problems, all equal")
    for name, count in counts.most_common():
        print(f"{count:6d}  {name}")


if __name__ == "__main__":
    main()
