"""Mistakes that a type checker must find: each ignored line is an error, or this file is."""

from codevf_nb.sdk import CodeVFClient, ServiceMode, calculate_final_credit_cost

client = CodeVFClient(key="x")  # type: ignore[call-arg]
client.tasks.create("prompt", "240", 1)  # type: ignore[arg-type]
client.tasks.create("prompt", 240)  # type: ignore[call-arg]
client.tasks.create("prompt", 240, 1, ServiceMode.FAST)  # type: ignore[call-arg]
client.tasks.retrieve(7)  # type: ignore[arg-type]
client.tasks.retrieve("task_1").credits_used + 1  # type: ignore[operator]
client.tasks.retrieve("task_1").status = "done"  # type: ignore[misc]
client.credits.balance()  # type: ignore[attr-defined]
calculate_final_credit_cost(240, ServiceMode.FAST, 1.6)  # type: ignore[arg-type]
