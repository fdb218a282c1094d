"""How fast the catalog is: a record by name, all counts, and a full validation."""

from planner.catalog import ids, lookup, model
from planner.catalog.parameters import layer_groups, outer_tensors, text_params, total_params
from planner.catalog.validate import validate_catalog


def test_load_a_record_by_alias(benchmark):
    def load():
        lookup.model.cache_clear()
        return lookup.model("meta-llama/Llama-3.1-8B-Instruct")

    assert benchmark(load).id == "llama-3.1-8b"


def test_count_all_models(benchmark):
    records = [model(name) for name in ids("models")]

    def count():
        for cached in (layer_groups, outer_tensors, text_params, total_params):
            cached.cache_clear()
        return sum(total_params(record) for record in records)

    assert benchmark(count) > 1e12


def test_validate_everything(benchmark):
    assert benchmark(validate_catalog) == []
