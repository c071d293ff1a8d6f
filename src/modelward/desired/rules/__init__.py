"""Rules of Prometheus about what policies ask: one text for the chart's rules and for a policy's own."""
