"""Codes of outcomes, of doubtful input, and of bugs."""

from __future__ import annotations

from typing import Final

from planner.diagnostics.code import Code

OUTCOME_CODES: Final[dict[str, Code]] = {
    "P301": Code(
        "no plan exists",
        "It is proven that the workloads cannot all be served from the inventory within the limits. The output names "
        "the facts in conflict and changes that were confirmed by a second solve. Exit code 3.",
    ),
    "P302": Code(
        "a workload has no option",
        "No layout of the workload fits any pool it may use. The output shows, for the best candidate of each pool, "
        "what it needs, what there is, and what is short; `planner why FILE WORKLOAD` lists every layout tried.",
    ),
    "P303": Code(
        "nothing found within the limit",
        "Neither a plan nor a proof that there is none was found within the time or work limit. Raise the limit, or "
        "make the scenario smaller. Exit code 4.",
    ),
}

DOUBT_CODES: Final[dict[str, Code]] = {
    "P401": Code(
        "a price is old",
        "The quote is more than 180 days old. Rental prices have halved within a year; ask again before you rely on "
        "the total.",
        "inventory:\n  - pool: cloud\n    rent: {price: 30 USD/node-hour, as_of: 2023-01-01}\n",
        "inventory:\n  - pool: cloud\n    rent: {price: 25 USD/node-hour, as_of: 2099-12-31}\n",
    ),
    "P402": Code(
        "a figure nobody could verify",
        "No public source confirms the memory of a GPU or the dimensions of a model, and whether something fits hangs "
        "on them. `planner catalog show` names the fields. Try it before you buy where the plan comes close to the "
        "limit; a model can be declared under `models` with its own config.json.",
        "inventory:\n  - {pool: tpu, gpu: gh200-144gb, node: {gpus: 1, host_ram: 480 GiB}, owned: {nodes: 1}}\n",
        "inventory:\n  - {pool: tpu, gpu: gh200-96gb, node: {gpus: 1, host_ram: 480 GiB}, owned: {nodes: 1}}\n",
    ),
    "P403": Code(
        "tensor parallelism over PCIe",
        "The workload must split its tensors over several GPUs, but no pool it may use links GPUs by NVLink or a "
        "similar fabric. Two all-reduces per layer then cross PCIe. Pipeline stages need far less bandwidth.",
        "workloads:\n  - name: chat\n    pools: [box]\n    parallel: {tp: 4}\n",
        "workloads:\n  - name: chat\n    pools: [box]\n    parallel: {tp: 1, pp: 4}\n",
    ),
    "P404": Code(
        "context above the model's own",
        "The model was made for shorter sequences than the workload asks for. Memory is reckoned for what you wrote; "
        "whether the answers are any good is another matter.",
        "workloads:\n  - name: sft\n    model: llama-7b\n    sequence: 8192\n",
        "workloads:\n  - name: sft\n    model: llama-7b\n    sequence: 2048\n",
    ),
    "P405": Code(
        "rows of an imported file were left out",
        "Each row that was not taken over is named with its line and the reason; nothing is dropped silently.",
    ),
    "P406": Code(
        "a memory fraction above 0.95",
        "The fraction leaves next to nothing for what the engine does not count: the CUDA context, communication "
        "buffers, fragmentation. Engines take 0.90 or less by default.",
        "workloads:\n  - name: chat\n    memory_fraction: 0.98\n",
        "workloads:\n  - name: chat\n    memory_fraction: 0.9\n",
    ),
    "P407": Code(
        "a model's shape is assumed",
        "Only a parameter count is given, so layers, width and heads are assumed from the proportions of common "
        "models. KV cache and activations depend on them; give the config.json for exact figures.",
        "models: {ours: {params: 7e9}}\nworkloads:\n  - {name: chat, model: ours}\n",
        "models: {ours: {config: ./config.json}}\nworkloads:\n  - {name: chat, model: ours}\n",
    ),
    "P408": Code(
        "a name is taken to mean one of several records",
        "The name is an alias of one record, but fits others as well. The message says which was taken.",
        "inventory:\n  - pool: box\n    gpu: A100-80GB\n",
        "inventory:\n  - pool: box\n    gpu: a100-sxm4-80gb\n",
    ),
    "P409": Code(
        "a node's memory for offloading is unknown",
        "The workload may offload, but the host RAM or NVMe of some nodes it may use is neither in the scenario nor "
        "in the catalog. Nothing is offloaded there until you write it.",
        "inventory:\n  - {pool: bare, gpu: l40s, node: {host_ram: 512 GiB}, owned: {nodes: 1}}\n"
        "workloads:\n  - name: sft\n    offload: {optimizer: [none, nvme]}\n",
        "inventory:\n  - {pool: bare, gpu: l40s, node: {host_ram: 512 GiB, nvme: 4 TB}, owned: {nodes: 1}}\n",
    ),
    "P410": Code(
        "nodes that nothing can use",
        "The pool has no node that is available now, and none can be rented, so that it plays no part in the plan.",
        "inventory:\n  - pool: box\n    owned: {nodes: 2, available: 0}\n",
        "inventory:\n  - pool: box\n    owned: {nodes: 2, available: 2}\n",
    ),
    "P411": Code(
        "samples longer than a sequence",
        "The mean sample of the data set does not fit in one sequence, so that most samples would be cut.",
        "workloads:\n  - {name: tune, kind: lora, model: llama-3.1-8b, sequence: 512,"
        " dataset: {samples: 1000, mean_tokens: 900}}\n",
        "workloads:\n  - {name: tune, kind: lora, model: llama-3.1-8b, sequence: 1024,"
        " dataset: {samples: 1000, mean_tokens: 900}}\n",
    ),
    "P412": Code(
        "a price without a date",
        "Other prices of the scenario say from which day they are, this one does not, so that nobody can tell whether "
        "it is old. A scenario without any dates is left in peace.",
        "inventory:\n  - {pool: cloud, rent: {as_of: 2099-12-31}}\n"
        "  - {pool: more, node: aws-p5.48xlarge, rent: {price: 50 USD/node-hour}}\n",
        "inventory:\n  - {pool: cloud, rent: {as_of: 2099-12-31}}\n"
        "  - {pool: more, node: aws-p5.48xlarge, rent: {price: 50 USD/node-hour, as_of: 2099-12-31}}\n",
    ),
    "P413": Code(
        "a wish about spot nodes where there are none",
        "The workload says whether it may use spot nodes, but no rent of the pools it may use has an `interruption`, "
        "so that the wish changes nothing.",
        "workloads:\n  - {name: chat, spot: true}\n",
        "inventory:\n  - {pool: cloud, rent: {interruption: 10 %}}\nworkloads:\n  - {name: chat, spot: true}\n",
    ),
}

BUG_CODES: Final[dict[str, Code]] = {
    "P901": Code(
        "a bug of planner",
        "Something happened that must not happen. The report written beside the message helps to find it. Exit 70.",
    ),
    "P902": Code(
        "the plan did not verify",
        "The plan was re-derived from the scenario without the optimizer, and the two do not agree. It is not "
        "printed. Exit code 70.",
    ),
}
