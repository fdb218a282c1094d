"""Measurement files of users: kinds, bad files, and cases whose model is given by its shape."""

from pathlib import Path

import pytest

from planner.accuracy.read import BadMeasurements, read
from planner.accuracy.score import score_file

OWN = """
- id: own-1
  source: https://example.org/log
  model: ours-1b
  architecture: {model_type: llama, hidden_size: 2048, intermediate_size: 8192, num_hidden_layers: 16,
    num_attention_heads: 32, num_key_value_heads: 8, vocab_size: 128256, tie_word_embeddings: true}
  gpu: rtx-4090
  gpus: 1
  tp: 1
  weights: bf16
  engine: vllm
  engine_version: 0.10.2
  max_model_len: 8192
  measured: {weights_gib: 2.31, kv_gib: 17.0, outcome: fits}
- id: own-2
  model: nobody-knows
  engine: vllm
  measured: {weights_gib: 1.0}
"""


def test_own_logs_are_scored(tmp_path: Path) -> None:
    path = tmp_path / "logs.yaml"
    path.write_text(OWN)
    file = read(path)
    assert file.kind == "inference-memory"
    entries = {(e.id, e.quantity): e for e in score_file(file)}
    assert abs(entries["own-1", "weights_gib"].error or 1) < 0.02
    assert 15 < float(entries["own-1", "kv_gib"].predicted or 0) < 19
    assert entries["own-1", "outcome"].predicted == "fits"
    assert "nobody-knows" in entries["own-2", ""].skipped
    assert entries["own-2", ""].as_json() == {
        "id": "own-2",
        "skipped": entries["own-2", ""].skipped,
    }


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.yaml", "just: a mapping", "no list"), ("b.yaml", "- {model: x}", "without id"),
        ("c.yaml", "- [", "no YAML"),
        ("d.csv", "id,colour\n1,red\n", "none of the columns"),
    ],
)  # fmt: skip
def test_other_files_are_refused_with_a_reason(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadMeasurements, match=problem):
        read(path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMeasurements, match="is no file"):
        read(tmp_path / "nothing.yaml")


def test_tables_are_told_apart_by_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "speed.csv"
    path.write_text(
        "id,source,model,gpu,gpus,output_tokens_per_s,ttft_ms,trust\nx,,llama-3-8b,l4,1,10.5,,ok\n"
    )
    file = read(path)
    assert file.kind == "serving-speed"
    assert file.cases[0].measured == {"output_tokens_per_s": 10.5}
    assert "output_tokens_per_s" not in file.cases[0].config
