"""Sending alert messages: the only I/O to receivers, for the operator and for Jobs of teams alike."""
