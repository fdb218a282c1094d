"""Why a workload has no option, from its rejections and from confirmed what-ifs; no solver needed."""

from planner.options.explain.workload import explain_ask, explain_workloads

__all__ = ["explain_ask", "explain_workloads"]
