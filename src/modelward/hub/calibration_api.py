"""The part of the HTTP API that keeps calibrations: Jobs put them, the operator reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import orjson
from aiohttp import web

from modelward.api.calibration import calibration_from_json, calibration_to_json
from modelward.hub.calibrations import CalibrationStore
from modelward.hub.errors import HubError, bad_request
from modelward.hub.requests import Permit, json_answer, names_of, object_of, parsed_of

_BODY_BYTES = 64 << 10
_SCORES_BYTES = 2 << 20
_DIGEST = re.compile("[0-9a-f]{32}")


@dataclass(slots=True)
class CalibrationApi:
    """The handlers."""

    calibrations: CalibrationStore
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        one = "/v1/calibrations/{namespace}/{evaluator}"
        app.router.add_get(one, self.get_calibration)
        app.router.add_put(one, self.put_calibration)
        app.router.add_get(f"{one}/scores/{{digest}}", self.get_label_scores)
        app.router.add_put(f"{one}/scores/{{digest}}", self.put_label_scores)

    async def get_calibration(self, request: web.Request) -> web.Response:
        """Answer what was found of an evaluator; 404 where it was never calibrated."""
        found = self.calibrations.get(*await names_of(request, self.permit, "read calibration", "evaluator"))
        if found is None:
            raise HubError(404, "NotFound", "this evaluator was never calibrated")
        return json_answer(calibration_to_json(found))

    async def put_calibration(self, request: web.Request) -> web.Response:
        """Store what a Job found of an evaluator, whose names must be those of the path."""
        names = await names_of(request, self.permit, "put calibration", "evaluator")
        found = await parsed_of(request, _BODY_BYTES, calibration_from_json)
        if (found.namespace, found.evaluator) != names:
            raise bad_request("the path must be the calibration's own namespace and evaluator")
        await self.calibrations.put(found)
        return web.Response(status=204)

    async def get_label_scores(self, request: web.Request) -> web.Response:
        """Answer the scores of labels of one version; 404 where there are none."""
        names = await names_of(request, self.permit, "put calibration", "evaluator")
        data = await self.calibrations.scores(*names, _digest(request))
        if data is None:
            raise HubError(404, "NotFound", "no label was scored by this version")
        return web.Response(body=data, content_type="application/json")

    async def put_label_scores(self, request: web.Request) -> web.Response:
        """Store the scores of labels of one version."""
        names, digest = await names_of(request, self.permit, "put calibration", "evaluator"), _digest(request)
        scores = await object_of(request, _SCORES_BYTES)
        await self.calibrations.put_scores(*names, digest, orjson.dumps(scores))
        return web.Response(status=204)


def _digest(request: web.Request) -> str:
    digest = request.match_info["digest"]
    if not _DIGEST.fullmatch(digest):
        raise bad_request("not the digest of a version")
    return digest
