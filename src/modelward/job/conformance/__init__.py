"""The suite that every evaluator behind score/v1 must pass, whatever it is written in and wherever it runs."""
