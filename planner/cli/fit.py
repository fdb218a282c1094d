"""`planner fit MODEL --on GPUS`: the account of one model without a scenario."""

from __future__ import annotations

import sys

import click

from planner.cli.completion import (
    complete_engine,
    complete_format,
    complete_framework,
    complete_gpus_or_node,
    complete_model,
    complete_optimizer,
)
from planner.cli.numbers import Real, Whole
from planner.cli.paint import paint
from planner.cli.terminal import ColorChoice, color_option, terminal_width, use_color

DEGREE = Whole(1, 10**5)
KINDS = ("inference", "lora", "qlora", "full")


@click.command(
    epilog="Example: `planner fit llama-3.1-70b --on 4xl40s --kind inference --context 16384`. "
    "Names: `planner catalog list models` and `planner catalog list gpus`."
)
@click.argument("model", shell_complete=complete_model)
@click.option(
    "--on",
    "gpus",
    required=True,
    metavar="NxGPU",
    shell_complete=complete_gpus_or_node,
    help="GPUs of one node: 4xv100-sxm2-32gb, or a node type.",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    multiple=True,
    help="What to run; repeatable; default: all four.",
)
@click.option(
    "--precision",
    shell_complete=complete_format,
    multiple=True,
    help="Weight format: 16bit, fp8, gptq-int4, awq-int4, ...; repeatable.",
)
@click.option("--kv", default="auto", show_default=True, help="KV cache format.")
@click.option("--context", type=Whole(), help="Tokens one sequence must be able to hold.")
@click.option("--concurrent", type=Whole(), help="Requests in flight.")
@click.option(
    "--requests",
    type=Real(),
    help="Requests per second, instead of --concurrent.",
)
@click.option("--prompt", type=Whole(), help="Mean prompt tokens.")
@click.option("--output", type=Whole(), help="Mean output tokens.")
@click.option("--engine", shell_complete=complete_engine, help="Serving engine profile.")
@click.option(
    "--memory-fraction",
    type=Real(1),
    help="Share of GPU memory the engine takes.",
)
@click.option("--sequence", type=Whole(), help="Training: tokens of a sequence.")
@click.option(
    "--global-batch",
    type=Whole(),
    help="Training: sequences of one optimizer step.",
)
@click.option(
    "--micro-batch",
    type=Whole(),
    multiple=True,
    help="Training: sequences per GPU and pass.",
)
@click.option(
    "--framework",
    shell_complete=complete_framework,
    help="Full fine-tuning: framework profile, such as fsdp or deepspeed.",
)
@click.option(
    "--zero", type=Whole(0, 3), multiple=True, help="Full fine-tuning: ZeRO stage; repeatable."
)
@click.option(
    "--recompute",
    type=click.Choice(["none", "selective", "full"]),
    multiple=True,
    help="Training: activation recomputation.",
)
@click.option(
    "--optimizer",
    shell_complete=complete_optimizer,
    help="Training: adamw, adamw-8bit, paged-adamw-8bit, adafactor, ...",
)
@click.option(
    "--offload",
    type=click.Choice(["none", "cpu", "nvme"]),
    default="none",
    show_default=True,
    help="Full fine-tuning: where optimizer states go.",
)
@click.option(
    "--rank",
    type=Whole(1, 10**5),
    default=16,
    show_default=True,
    help="Rank of LoRA adapters.",
)
@click.option("--tokens", type=Real(), help="Training: tokens to process, for the time to finish.")
@click.option(
    "--attention",
    type=click.Choice(["auto", "flash", "sdpa", "eager"]),
    default="auto",
    show_default=True,
    help="Attention kernel.",
)
@click.option("--tp", type=DEGREE, multiple=True, help="Tensor parallel degree; repeatable.")
@click.option("--pp", type=DEGREE, multiple=True, help="Pipeline degree; repeatable.")
@click.option("--dp", type=DEGREE, multiple=True, help="Data parallel degree; repeatable.")
@click.option(
    "--nvlink",
    help="NVLink per GPU, both directions: `300 GB/s`; default: the GPU's own, 0 for bridge cards.",
)
@click.option("--host-ram", help="Host RAM of the node: `256 GiB`.")
@click.option(
    "--risk",
    type=click.Choice(["upper", "best"]),
    default="upper",
    show_default=True,
    help="Estimate the verdict rests on.",
)
@click.option(
    "--rules", is_flag=True, help="Print the well-known rules of thumb beside our figures."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@color_option
def fit(
    model: str, gpus: str, kind: tuple[str, ...], rules: bool, form: str, color: ColorChoice,
    **flags: object,
) -> None:  # fmt: skip
    """Account for the memory and speed of MODEL on GPUs of one node.

    Exit code 0: at least one of the kinds fits; 3: none does.
    """
    from planner.options.fit import account_of
    from planner.options.fit_wish import FitError, wish_of

    try:
        wish = {**flags, "kinds": kind or KINDS}
        nvlink, host_ram = wish.pop("nvlink"), wish.pop("host_ram")
        result = account_of(model, gpus, wish_of(**wish), nvlink, host_ram, rules=rules)  # type: ignore[arg-type]
    except FitError as error:
        flag = f"--{error.parameter.replace('_', '-')}"
        place = {"model": "MODEL", "gpu": "--on", "kinds": "--kind"}.get(error.parameter, flag)
        raise click.BadParameter(str(error), param_hint=place) from None
    if form == "json":
        click.echo(result.to_json(), nl=False)
    else:
        from planner.report.fit import render_fit

        colored = use_color(sys.stdout, color)
        text = render_fit(result, width=terminal_width())
        click.echo(paint(text, color=colored), nl=False, color=colored)
    raise click.exceptions.Exit(0 if result.any_fits else 3)
