"""A large scenario file, written from a seed: `python -m tests.benchmarks.scenario_large > large.yaml`.

Node types and models are the catalog's. Workloads are a mix of inference (55 %), batch generation and embedding
(10 %), LoRA (15 %), QLoRA (8 %) and full fine-tuning (12 %); sizes, rates, objectives and deadlines are drawn anew for
each, so that hardly two ask the same.
"""

from __future__ import annotations

import argparse
from random import Random

from planner.catalog.lookup import node as node_type

NODES = (
    # node type, USD per GPU-hour on demand, about
    ("aws-g4dn.xlarge", 0.53), ("aws-g4dn.12xlarge", 0.98), ("aws-g5.xlarge", 1.01),
    ("aws-g5.12xlarge", 1.42), ("aws-g5.48xlarge", 2.04), ("aws-g6.xlarge", 0.80),
    ("aws-g6.12xlarge", 1.15), ("aws-g6.48xlarge", 1.67), ("aws-g6e.xlarge", 1.86),
    ("aws-g6e.12xlarge", 2.62), ("aws-g6e.48xlarge", 3.77), ("aws-g7e.8xlarge", 3.36),
    ("aws-g7e.48xlarge", 4.14), ("aws-p3.8xlarge", 3.06), ("aws-p3dn.24xlarge", 3.90),
    ("aws-p4d.24xlarge", 2.74), ("aws-p4de.24xlarge", 3.43), ("aws-p5.4xlarge", 6.88),
    ("aws-p5.48xlarge", 6.88), ("aws-p5en.48xlarge", 7.91), ("aws-p6-b200.48xlarge", 14.24),
    ("azure-Standard_NC24ads_A100_v4", 3.67), ("azure-Standard_NC96ads_A100_v4", 3.67),
    ("azure-Standard_ND96amsr_A100_v4", 4.10), ("azure-Standard_NC80adis_H100_v5", 6.98),
    ("azure-Standard_ND96isr_H100_v5", 12.29), ("azure-Standard_ND96isr_H200_v5", 10.6),
    ("azure-Standard_ND96isr_MI300X_v5", 6.0), ("azure-Standard_ND40rs_v2", 2.75),
    ("gcp-a2-highgpu-1g", 3.67), ("gcp-a2-highgpu-4g", 3.67), ("gcp-a2-ultragpu-2g", 5.07),
    ("gcp-a2-ultragpu-8g", 5.07), ("gcp-a3-megagpu-8g", 11.6), ("gcp-a3-ultragpu-8g", 10.8),
    ("gcp-g2-standard-12", 0.85), ("gcp-g2-standard-96", 1.0), ("gcp-g4-standard-192", 4.5),
    ("lambda-gpu_8x_a100", 1.79), ("nebius-gpu-h200-sxm_8gpu-128vcpu-1600gb", 3.5),
)  # fmt: skip
SMALL = (
    "llama-3.2-1b", "llama-3.2-3b", "llama-3.1-8b", "llama-2-7b", "falcon3-7b", "gemma-2-9b",
    "deepseek-r1-distill-qwen-7b", "granite-3.3-8b", "gemma-2-2b", "exaone-3.5-7.8b", "codellama-7b",
)  # fmt: skip
MIDDLE = (
    "qwen2.5-14b", "codestral-22b", "gemma-2-27b", "qwen2.5-32b", "qwen2.5-coder-32b",
    "deepseek-r1-distill-qwen-32b", "llama-2-13b", "glm-4-32b-0414", "devstral-small-24b",
)  # fmt: skip
LARGE = (
    "llama-3.3-70b", "llama-3.1-70b", "deepseek-r1-distill-llama-70b", "command-r-plus-104b",
    "codellama-70b",
)  # fmt: skip
EMBEDDERS = ("bge-m3", "bge-large-en-v1.5", "gte-large", "e5-large-v2")


def scenario(workloads: int = 1000, pools: int = 40, seed: int = 0) -> str:
    """The YAML text; the same arguments give the same text."""
    random = Random(f"{workloads}x{pools}/{seed}")
    head = "scenario: large\ncurrency: USD\nenergy: {price: 0.12 USD/kWh, pue: 1.3}\n"
    chosen = random.sample(NODES, k=min(pools, len(NODES)))
    supply = [_pool(random, *node) for node in chosen]
    asks = [_workload(random, number) for number in range(workloads)]
    return "\n".join([head, "inventory:", *supply, "", "workloads:", *asks, ""])


def _pool(random: Random, node: str, usd: float) -> str:
    gpus = node_type(node).gpus
    name = node.lower().replace(".", "-").replace("_", "-")
    if random.random() < 0.3:
        return f"  - {{pool: own-{name}, node: {node}, owned: {{nodes: {random.randint(2, 24)}}}}}"
    price = round(usd * gpus * random.uniform(0.85, 1.15), 3)
    most = random.choice([16, 64, 256])
    rent = f"{{price: {price} USD/node-hour, max_nodes: {most}}}"
    return f"  - {{pool: {name}, node: {node}, rent: {rent}}}"


def _workload(random: Random, number: int) -> str:
    makers = (_inference, _batch, _embedding, _lora, _qlora, _full)
    maker = random.choices(makers, weights=(55, 6, 4, 15, 8, 12))[0]
    return f"  - {{name: w{number}, {maker(random)}}}"


def _inference(random: Random) -> str:
    large = random.random()
    model = random.choice(SMALL if large < 0.6 else MIDDLE if large < 0.85 else LARGE)
    formats = random.choice(
        ["[16bit]", "[16bit, fp8]", "[fp8, awq-int4]", "[16bit, fp8, gptq-int4]"]
    )
    context = random.choice([2048, 4096, 4096, 8192])
    prompt = random.randint(200, context * 2 // 3)
    output = random.randint(50, min(600, context - prompt))
    rate = round(random.lognormvariate(0.5, 1.0) * 1500 / (prompt + 5 * output), 2)
    demand = f"{{requests: {max(rate, 0.05)} /s, prompt: {prompt}, output: {output}}}"
    slo = f"{{ttft: {random.choice([1, 2, 3, 5])} s, tpot: {random.choice([50, 80, 100, 150])} ms}}"
    replicas = random.choice(["", "", ", replicas: {min: 2}", ", replicas: {min: 1, spare: 1}"])
    return (
        f"kind: inference, model: {model}, precision: {formats}, context: {context}, demand: {demand}, "
        f"slo: {slo}{replicas}"
    )


def _batch(random: Random) -> str:
    model = random.choice(SMALL + MIDDLE)
    requests = random.randint(50, 2000) * 1000
    prompt, output = random.randint(200, 1500), random.randint(50, 400)
    return (
        f"kind: batch, model: {model}, precision: [16bit, fp8], context: 2048, "
        f"demand: {{requests: {requests}, prompt: {prompt}, output: {output}}}, "
        f"deadline: {random.randint(8, 72)} h"
    )


def _embedding(random: Random) -> str:
    tokens = random.randint(10, 400) / 10
    return (
        f"kind: embedding, model: {random.choice(EMBEDDERS)}, context: 512, "
        f"demand: {{tokens: {tokens:.1f}e9}}, deadline: {random.randint(1, 5)} d"
    )


def _data(random: Random) -> str:
    sequence = random.choice([1024, 2048, 4096])
    samples, mean = random.randint(5, 60) * 1000, random.randint(300, 900)
    return (
        f"sequence: {sequence}, global_batch: {random.choice([16, 32, 64])} sequences, "
        f"dataset: {{samples: {samples}, mean_tokens: {mean}, epochs: {random.randint(1, 3)}, "
        f"packing: true}}, deadline: {random.randint(3, 20)} d"
    )


def _lora(random: Random) -> str:
    model = random.choice(SMALL + MIDDLE)
    lora = f"{{rank: {random.choice([8, 16, 32, 64])}, targets: all-linear}}"
    return f"kind: lora, model: {model}, lora: {lora}, {_data(random)}"


def _qlora(random: Random) -> str:
    model = random.choice(MIDDLE + LARGE)
    lora = f"{{rank: {random.choice([16, 32])}, targets: all-linear}}"
    return f"kind: qlora, model: {model}, lora: {lora}, {_data(random)}"


def _full(random: Random) -> str:
    model = random.choice(SMALL + MIDDLE[:2])
    way = random.choice(
        ["", "framework: deepspeed, zero: [2, 3], offload: {optimizer: [none, cpu]}, "]
    )
    return f"kind: full, model: {model}, {way}{_data(random)}"


def main() -> None:
    """Writes the scenario to standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workloads", type=int, default=1000)
    parser.add_argument("--pools", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(scenario(options.workloads, options.pools, options.seed), end="")


if __name__ == "__main__":
    main()
