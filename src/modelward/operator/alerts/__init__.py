"""Who is told of alerts: what is due of a namespace, its delivery, and silences."""
