"""Verdicts → alerts → what is due to whom, and in what words. Pure."""
