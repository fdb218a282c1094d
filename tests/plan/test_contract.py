"""The JSON that others build on has the keys it promises; keys are only ever added."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from planner.cli.main import cli
from planner.plan.schema import Plan

ROOT = Path(__file__).resolve().parents[2]
LAB, IMPOSSIBLE = "scenarios/lab.yaml", "scenarios/65b-on-4xv100.yaml"
MONEY = re.compile(r"^-?\d+\.\d\d$")


def output(*words: str) -> dict:
    """What a command prints as JSON; standard output holds nothing else."""
    done = CliRunner().invoke(cli, [*words, "--format", "json"], catch_exceptions=False)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def lab() -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return output("solve", LAB)


@pytest.fixture(scope="module")
def impossible() -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return output("solve", IMPOSSIBLE)


def has(found: dict, *keys: str) -> None:
    """All keys are there."""
    assert not set(keys) - set(found)


def test_a_plan_has_its_keys(lab: dict) -> None:
    has(
        lab, "schema", "status", "cost", "bound", "gap", "workloads", "pools", "rejections", "conflict",
        "repairs", "assumptions", "versions",
    )  # fmt: skip
    assert lab["schema"] == "planner/plan/1"
    assert lab["status"] in ("proven", "feasible")
    has(lab["cost"], "total", "currency", "periods")


def test_money_is_text_with_cents(lab: dict) -> None:
    amounts = [lab["cost"]["total"], lab["bound"]]
    amounts += [p["cost"] for p in lab["pools"]]
    amounts += [a["cost"] for w in lab["workloads"] for a in w["assignment"]]
    assert all(isinstance(a, str) and MONEY.match(a) for a in amounts)


def test_each_workload_and_assignment_has_its_keys(lab: dict) -> None:
    for workload in lab["workloads"]:
        has(workload, "name", "kind", "model", "served", "assignment")
        for part in workload["assignment"]:
            has(
                part, "pool", "gpu", "replicas", "gpus", "nodes", "layout", "ledger", "speed", "placement",
                "start", "end",
            )  # fmt: skip
            has(part["ledger"], "components", "total_gib", "usable_gib")
            assert part["ledger"]["total_gib"] <= part["ledger"]["usable_gib"]
            for place in part["placement"]:
                has(place, "node", "gpus")


def test_each_pool_has_its_keys(lab: dict) -> None:
    for pool in lab["pools"]:
        has(pool, "pool", "owned", "bought", "rented", "used_gpus", "cost")


def test_a_refusal_has_its_keys(impossible: dict) -> None:
    assert impossible["status"] == "infeasible"
    assert impossible["cost"] is None
    assert impossible["explanations"]
    assert impossible["rejections"]
    for row in impossible["rejections"]:
        has(row, "workload", "pool", "reason", "message", "count", "need", "have", "unit")
    for repair in impossible["repairs"]:
        has(repair, "change", "cost", "verified")
        assert repair["verified"] is True


def test_plans_satisfy_the_published_schema_and_come_back_the_same(
    lab: dict, impossible: dict
) -> None:
    schema = Plan.model_json_schema(by_alias=True, mode="serialization")
    for found in (lab, impossible):
        jsonschema.validate(found, schema)
        assert json.loads(Plan.model_validate(found).to_json()) == found


def test_fit_has_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = output("fit", "llama-3.1-8b", "--on", "l40s")
    assert found["schema"] == "planner/fit/1"
    has(found, "model", "parameters", "gpu", "gpus", "usable_gib", "kinds")
    assert [k["kind"] for k in found["kinds"]] == ["inference", "lora", "qlora", "full"]
    for kind in found["kinds"]:
        has(kind, "verdict", "summary", "layouts", "limits", "least_gpus", "explanation", "assumed")
        for layout in kind["layouts"]:
            has(layout, "gpus", "layout", "ledger", "speed")


def test_why_has_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = output("why", IMPOSSIBLE, "qlora-65b")
    assert found["schema"] == "planner/why/1"
    has(found, "workload", "model", "currency", "status", "rows", "counted")
    for row in found["rows"]:
        has(
            row,
            "pool",
            "gpu",
            "gpus",
            "layout",
            "verdict",
            "message",
            "need",
            "have",
            "unit",
            "cost",
            "count",
        )
        assert row["verdict"] in ("chosen", "fits", "dominated", "rejected")
