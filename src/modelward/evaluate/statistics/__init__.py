"""Statistics behind verdicts: pure functions of counts, each with its source and its measured coverage."""
