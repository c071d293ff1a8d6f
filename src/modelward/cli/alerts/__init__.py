"""`modelward alerts`: try receivers of alerts, and show what they would get."""
