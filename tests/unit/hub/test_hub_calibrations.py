"""The hub keeps calibrations over restarts, within bounds, and until their namespace is erased."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from hub_fixtures import NOW_MS, running_hub

from modelward.api.calibration import CalibrationOutcome, OwnLabels
from modelward.hub.calibrations import MOST_KEYS, MOST_OF_NAMESPACE
from modelward.hub_client.client import HubUnavailableError

FOUND = CalibrationOutcome(
    "retail", "brand", "judge/1+0", "uid/7", NOW_MS, labels=120, found=38, positives=40, false_alarms=4, negatives=80,
    kappa_ppm=850_000, kappa_low_ppm=660_000, kappa_high_ppm=930_000, attacked=300, flipped=1,
    own={"chat": OwnLabels(9, 10, 1, 50)},
)  # fmt: skip
KEYS = [f"{n:032x}" for n in range(MOST_KEYS + 1)]


def stored(folder: Path) -> list[Path]:
    return list(folder.rglob("calibrations/retail/brand/found.json"))


async def test_calibrations_and_scores_outlive_a_restart_and_go_with_their_namespace(file_url: str) -> None:
    async with running_hub(file_url) as hub:
        assert await hub.client.calibration("retail", "brand") is None
        assert await hub.client.label_scores("retail", "brand", KEYS[0]) == {}
        await hub.client.put_calibration(FOUND)
        await hub.client.put_calibration(replace(FOUND, namespace="other"))
        await hub.client.put_label_scores("retail", "brand", KEYS[0], {"allowed": 7, "scores": {}})
    async with running_hub(file_url) as hub:
        assert await hub.client.calibration("retail", "brand") == FOUND
        assert await hub.client.label_scores("retail", "brand", KEYS[0]) == {"allowed": 7, "scores": {}}
        await hub.client.erase({"namespace": "retail"})
        assert await hub.client.calibration("retail", "brand") is None
        assert await hub.client.label_scores("retail", "brand", KEYS[0]) == {}
    async with running_hub(file_url) as hub:
        assert await hub.client.calibration("retail", "brand") is None
        assert await hub.client.calibration("other", "brand") is not None


async def test_scores_of_the_newest_versions_are_kept(file_url: str) -> None:
    async with running_hub(file_url) as hub:
        for key in KEYS:
            await hub.client.put_label_scores("retail", "brand", key, {"allowed": 1})
        assert [bool(await hub.client.label_scores("retail", "brand", key)) for key in KEYS] == [False, True, True]


async def test_a_namespace_takes_no_more_room_than_its_own() -> None:
    async with running_hub("memory://") as hub:
        for number in range(MOST_OF_NAMESPACE):
            await hub.client.put_calibration(replace(FOUND, evaluator=f"e{number}"))
        with pytest.raises(HubUnavailableError, match="at most"):
            await hub.client.put_calibration(replace(FOUND, evaluator="more"))
        await hub.client.put_calibration(replace(FOUND, evaluator="e0", labels=121))
        await hub.client.put_calibration(replace(FOUND, namespace="other"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/calibrations/retail/other", b"{}"),
        ("/v1/calibrations/retail/brand", b'{"labels": "many"}'),
        ("/v1/calibrations/retail/brand/scores/0", b"{}"),
        (f"/v1/calibrations/retail/brand/scores/{KEYS[0]}", b"[1]"),
        (f"/v1/calibrations/retail/brand/scores/{KEYS[0]}", b"nonsense"),
        ("/v1/calibrations/Retail/brand", b"{}"),
    ],
)
async def test_what_is_no_calibration_is_refused(path: str, body: bytes) -> None:
    async with (
        running_hub("memory://") as hub,
        aiohttp.ClientSession(f"http://127.0.0.1:{hub.hub.ports[0]}") as session,
        session.put(path, data=body) as answer,
    ):
        assert answer.status == 400


async def test_a_damaged_calibration_is_set_aside_and_measured_anew(file_url: str, tmp_path: Path) -> None:
    async with running_hub(file_url) as hub:
        await hub.client.put_calibration(FOUND)
    [path] = stored(tmp_path)
    path.write_bytes(b'{"labels": ')
    async with running_hub(file_url) as hub:
        assert await hub.client.calibration("retail", "brand") is None
        await hub.client.put_calibration(FOUND)
        assert await hub.client.calibration("retail", "brand") == FOUND
