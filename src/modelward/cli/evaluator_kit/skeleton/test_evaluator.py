"""Run with `python -m unittest`."""

from __future__ import annotations

import json
import unittest

import evaluator
import server


class TestEvaluator(unittest.TestCase):
    """What is flagged, and what the server makes of it."""

    def test_an_answer_that_shouts_is_flagged(self) -> None:
        """Capitals and exclamation marks count."""
        for text, flagged in (("BUY NOW", True), ("Buy!!!", True), ("Your card is on its way.", False)):
            with self.subTest(text):
                self.assertEqual(evaluator.score({"response": text}, {})["flagged"], flagged)

    def test_a_limit_of_the_config_counts(self) -> None:
        """It stands under `config` in evaluator.yaml."""
        self.assertFalse(evaluator.score({"response": "Buy!!!"}, {"maxExclamations": 3})["flagged"])

    def test_every_record_is_answered(self) -> None:
        """One without text too."""
        records = [{"id": "a", "response": "BUY NOW"}, {"id": "b", "response": ""}]
        status, reply = server.answer(json.dumps({"contract": "score/v1", "records": records}).encode())
        self.assertEqual(status, 200)
        self.assertEqual(
            [(one["id"], one["state"]) for one in reply["scores"]], [("a", "Scored"), ("b", "NotApplicable")]
        )

    def test_what_is_no_request_is_refused(self) -> None:
        """And nothing breaks."""
        for body in (b"", b"<html>", b"[]", b'{"contract": "score/v9", "records": []}'):
            self.assertEqual(server.answer(body)[0], 400)


if __name__ == "__main__":
    unittest.main()
