"""How a person becomes a session: a reader's token on loopback, OpenID Connect, or a pasted token."""
