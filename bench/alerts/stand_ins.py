"""Two stand-ins that run in pods: an engine whose page turns bad at a given time, and a receiver that notes when.

stand_ins.py engine     FAULT_AT (Unix seconds) and BEGAN_AT in the environment; a page as vLLM has it
stand_ins.py receiver   one line of JSON for each alert of each message: when, which, what
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PER_S = 10
PAGE = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{model_name="m"}} 1
vllm:num_requests_waiting{{model_name="m"}} 0
vllm:request_success_total{{finished_reason="stop",model_name="m"}} {good}
vllm:request_success_total{{finished_reason="error",model_name="m"}} {bad}
vllm:time_to_first_token_seconds_bucket{{le="0.1",model_name="m"}} {good}
vllm:time_to_first_token_seconds_bucket{{le="1",model_name="m"}} {good}
vllm:time_to_first_token_seconds_bucket{{le="+Inf",model_name="m"}} {good}
vllm:time_to_first_token_seconds_sum{{model_name="m"}} 1
vllm:time_to_first_token_seconds_count{{model_name="m"}} {good}
vllm:prompt_tokens_total{{model_name="m"}} {good}
vllm:generation_tokens_total{{model_name="m"}} {good}
"""


class Engine(BaseHTTPRequestHandler):
    """Answers everything with the page as it is now."""

    def do_GET(self) -> None:
        """Answer; from the fault on all requests fail."""
        now, began, fault = time.time(), float(os.environ["BEGAN_AT"]), float(os.environ["FAULT_AT"])
        every, bad = int((now - began) * PER_S), max(0, int((now - fault) * PER_S))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(PAGE.format(good=every - bad, bad=bad).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Receiver(BaseHTTPRequestHandler):
    """Takes messages."""

    def do_POST(self) -> None:
        """Note each alert of a message with the time at which it came."""
        at = time.time()
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for one in message["alerts"]:
            about = {"at": at, "kind": message["kind"], "endpoint": one["endpoint"], "name": one["name"]}
            sys.stdout.write(json.dumps(about) + "\n")  # in one piece: messages come side by side
            sys.stdout.flush()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing else."""


if __name__ == "__main__":
    handler = Engine if sys.argv[1] == "engine" else Receiver
    ThreadingHTTPServer(("", 8080), handler).serve_forever()
