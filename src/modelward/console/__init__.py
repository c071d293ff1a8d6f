"""Pages for people: what the hub knows, drawn. Without a right or a store of its own; the hub authorises each read."""
