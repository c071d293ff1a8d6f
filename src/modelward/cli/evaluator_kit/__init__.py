"""What a team needs to build an evaluator of its own: a skeleton that works, and the suite that it must pass."""
