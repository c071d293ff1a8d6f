"""One file per page: from what the hub answers to what a template writes. No I/O."""
