"""LLM judges: from a rubric and a record to a prompt, and from whatever a model answers to a label or a failure."""
