"""One file per page: what is asked of the hub, and the answer to the browser."""
