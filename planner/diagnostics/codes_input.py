"""Codes of what can be wrong with the input: the file, the shape of its fields, the names it uses."""

from __future__ import annotations

from typing import Final

from planner.diagnostics.code import Code

FILE_CODES: Final[dict[str, Code]] = {
    "P001": Code(
        "the file cannot be read",
        "The file does not exist, is a folder, may not be read, is larger than 20 MB, or is not UTF-8 text. Files "
        "named by `extends` and `config` are found relative to the scenario that names them.",
        "extends: ./no-such-file.yaml\n",
        "extends: ./base.yaml\n",
    ),
    "P002": Code(
        "the file is not valid YAML",
        "The text cannot be parsed: a tab in the indentation, an open bracket or quote, a `: ` in a text without "
        "quotes, a second document, an unknown tag, or an alias that contains itself. Scalars follow YAML 1.2: `no`, "
        "`on` and `1:30` are texts, `1e3` is a number.",
        "energy: {price: 0.12 USD/kWh, pue: 1.3\n",
        "energy: {price: 0.12 USD/kWh, pue: 1.3}\n",
    ),
    "P003": Code(
        "a key appears twice",
        "A mapping holds the same key twice; most parsers silently keep the last one. Remove one of the two. Where "
        "two list items were meant, each starts with `- `.",
        "energy: {price: 0.12 USD/kWh}\nenergy: {price: 0.20 USD/kWh}\n",
        "energy: {price: 0.12 USD/kWh}\n",
    ),
    "P004": Code(
        "a file that extends itself",
        "`extends` leads back to a file that is already being read. Remove one link of the circle.",
    ),
    "P005": Code(
        "the file is not of the expected format",
        "An imported file (config.json, GGUF, safetensors, CSV, output of nvidia-smi) does not look like what its "
        "importer reads. The message names what was expected and what was found.",
    ),
}

SHAPE_CODES: Final[dict[str, Code]] = {
    "P101": Code(
        "unknown key",
        "Unknown keys are errors, so that a misspelt key is never silently ignored. The help names the nearest valid "
        "key, or where the key belongs; `planner explain workloads` lists the keys of a mapping.",
        "workloads:\n  - name: chat\n    contxt: 8192\n",
        "workloads:\n  - name: chat\n    context: 8192\n",
    ),
    "P102": Code(
        "invalid value",
        "The value has the wrong type, is out of range, or is none of the words that are allowed here. Numbers of "
        "tokens are written in full or as `2e9`; letters such as `2 B` are refused because they are ambiguous.",
        "workloads:\n  - name: sft\n    tokens: 2 B\n",
        "workloads:\n  - name: sft\n    tokens: 2e9\n",
    ),
    "P103": Code(
        "missing key",
        "A key without a sensible default is not there. The help has a line to paste. Nothing is ever guessed from a "
        "model's maximum context, which is why `context` is required.",
        "workloads:\n  - name: second\n    kind: inference\n    model: llama-3.1-8b\n"
        "    demand: {concurrent: 8}\n",
        "workloads:\n  - name: second\n    kind: inference\n    model: llama-3.1-8b\n"
        "    context: 8192\n    demand: {concurrent: 8}\n",
    ),
    "P104": Code(
        "a field that is not supported yet",
        "The scenario format has the field, but the optimizer does not take it into account yet. It is refused "
        "instead of ignored, because a plan that ignores what you wrote would be wrong without saying so.",
        "inventory:\n  - pool: box\n    buy: {price: 280000 USD/node}\n",
        "inventory:\n  - pool: box\n    rent: {price: 12.00 USD/node-hour}\n",
    ),
    "P105": Code(
        "a path that leads nowhere",
        "`--set PATH=VALUE` names a value by keys and list items: `workloads.chat.context=16384`, "
        "`inventory[0].owned.nodes=2`. List items are found by number or by their name.",
    ),
    "P110": Code(
        "unit missing or unknown",
        "A bare number is an error wherever a unit matters: is `300` GB/s or Gbit/s, is `80` GB or GiB? GB and GB/s "
        "are 10^9, GiB 2^30. Link bandwidths sum both directions; network ports are named one way.",
        "workloads:\n  - name: chat\n    slo: {ttft: 2}\n",
        "workloads:\n  - name: chat\n    slo: {ttft: 2 s}\n",
    ),
}

NAME_CODES: Final[dict[str, Code]] = {
    "P201": Code(
        "unknown model",
        "No model in the catalog, and none under `models`, has that name. `planner catalog list models` shows all; "
        "a model of your own is declared under `models` with its config.json or its dimensions.",
        "workloads:\n  - name: chat\n    model: lama-3.1-8b\n",
        "workloads:\n  - name: chat\n    model: llama-3.1-8b\n",
    ),
    "P202": Code(
        "unknown GPU",
        "No GPU in the catalog has that name. `planner catalog list gpus` shows all; names that people use, such as "
        "`4090` or `A100-40G`, work where they mean one card.",
        "inventory:\n  - pool: box\n    gpu: l40z\n",
        "inventory:\n  - pool: box\n    gpu: l40s\n",
    ),
    "P203": Code(
        "unknown node type",
        "No node type in the catalog has that name. `planner catalog list nodes` shows all; a node can also be "
        "described in the scenario.",
        "inventory:\n  - pool: cloud\n    node: aws-p5.49xlarge\n",
        "inventory:\n  - pool: cloud\n    node: aws-p5.48xlarge\n",
    ),
    "P204": Code(
        "unknown engine or framework",
        "No profile of that name is in catalogs/engines. Leave `engine` out to take the first profile that supports "
        "model, format and GPU.",
        "workloads:\n  - name: chat\n    engine: vlm\n",
        "workloads:\n  - name: chat\n    engine: vllm\n",
    ),
    "P205": Code(
        "a name is used twice",
        "Pools, and workloads, are told apart by their names in every table, so a name is used once.",
        "workloads:\n  - {name: sft}\n  - {name: a, kind: lora, model: llama-3.1-8b, tokens: 1e6}\n"
        "  - {name: a, kind: lora, model: llama-3.1-8b, tokens: 1e6}\n",
        "workloads:\n  - {name: a, kind: lora, model: llama-3.1-8b, tokens: 1e6}\n"
        "  - {name: b, kind: lora, model: llama-3.1-8b, tokens: 1e6}\n",
    ),
    "P206": Code(
        "a name is ambiguous",
        "The name fits several records that differ in memory or interconnect, which decides what fits. Write one of "
        "the names listed.",
        "inventory:\n  - {pool: old, gpu: v100-32gb, node: {gpus: 2, host_ram: 256 GiB}, owned: {nodes: 1}}\n",
        "inventory:\n  - {pool: old, gpu: v100-sxm2-32gb, node: {gpus: 2, host_ram: 256 GiB}, owned: {nodes: 1}}\n",
    ),
    "P207": Code(
        "unknown model architecture",
        "The `model_type` of a config.json is none that planner can count tensor by tensor. Give the "
        "dimensions in the scenario, or a parameter count, which costs exactness.",
    ),
    "P208": Code(
        "a checkpoint's shape that planner cannot describe",
        "The tensors of a checkpoint do not add up to an architecture planner knows. Give the config.json beside it, "
        "or the dimensions in the scenario.",
    ),
    "P209": Code(
        "unknown pool",
        "A workload's `pools` or `exclude_pools` names a pool that is not in the inventory.",
        "workloads:\n  - name: chat\n    pools: [bux]\n",
        "workloads:\n  - name: chat\n    pools: [box]\n",
    ),
    "P210": Code(
        "values that contradict one another",
        "Each value is valid by itself, but not together: more nodes reserved than owned, requests longer than the "
        "context, more NVLink than the GPU has, prices in two currencies. Both places are shown.",
        "workloads:\n  - name: chat\n    context: 1024\n    demand: {prompt: 1500, output: 300}\n",
        "workloads:\n  - name: chat\n    context: 4096\n    demand: {prompt: 1500, output: 300}\n",
    ),
}
