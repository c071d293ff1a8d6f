"""Write labelled exchanges to try `modelward evaluate --labels` on; the page docs/evaluate-by-hand.md does.

    python bench/evaluators/labelled_questions.py FOLDER

150 questions of CLINC150's test rows (CC BY 3.0) are about banking and labelled ok, 60 are about something else and
labelled fault, because all have the same answer, which does not refuse. Groups are made up. Needs MODELWARD_DATA.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

DATA = Path(os.environ.get("MODELWARD_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
BANKING = frozenset(
    (
        *("account_blocked", "balance", "bill_balance", "bill_due", "freeze_account", "interest_rate", "min_payment"),
        *("order_checks", "pay_bill", "pin_change", "report_fraud", "routing", "spending_history", "transactions"),
        "transfer",
    )
)
ANSWER = "You find that in the app, under Accounts."
GROUPS = ("app", "phone", "web")


def main(folder: Path) -> None:
    """Write exchanges.jsonl and labels.jsonl."""
    data = json.loads((DATA / "eval" / "clinc-oos" / "data_full.json").read_text())
    inside = [text for text, intent in data["test"] if intent in BANKING]
    outside = [text for text, intent in (*data["test"], *data["oos_test"]) if intent not in BANKING]
    drawn = random.Random(0)
    rows = [(text, "ok") for text in drawn.sample(inside, 150)] + [
        (text, "fault") for text in drawn.sample(outside, 60)
    ]
    drawn.shuffle(rows)
    base = {"time_ms": 0, "endpoint": "retail/chat", "model": "m", "operation": "chat", "status": 200, "outcome": "ok"}
    with (folder / "exchanges.jsonl").open("w") as exchanges, (folder / "labels.jsonl").open("w") as labels:
        for number, (text, label) in enumerate(rows):
            asked = {"content": "Full", "messages": [{"role": "user", "text": text}], "response": ANSWER}
            exchanges.write(json.dumps({"id": f"q{number}", **base, **asked}) + "\n")
            labels.write(json.dumps({"id": f"q{number}", "label": label, "group": GROUPS[number % 3]}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
