"""`modelward console`: the pages, on a person's own machine or in the cluster."""
