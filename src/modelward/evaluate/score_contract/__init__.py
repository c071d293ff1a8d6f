"""score/v1: what evaluators outside our own process are asked, and may answer. Keys are added, never changed."""

CONTRACT = "score/v1"
SCORE_PATH = "/v1/score"
MANIFEST_PATH = "/v1/manifest"
MAX_RECORDS = 64
MAX_BODY_BYTES = 1_000_000
"""Of a request, and of its reply."""
TRIES = 3
"""Of a request that finds no server, no answer in time, or an answer of 500 and above; others are final."""
