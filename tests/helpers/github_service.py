"""GitHub's issues of one repository: list, create, update, comment, as the REST API documents them.

From docs.github.com/rest/issues (fields, status codes), a title of 256 and a body of 65,536 characters, and
docs.github.com/rest/using-the-rest-api (rate limits). A person reads a body as GitHub renders it: `mentioned` are those
who are called by an @ outside of code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "github_pat_token"
REPOSITORY = "retail/alerts"
_CODE = re.compile(r"(`+)(?:(?!\1).)*\1")
_MENTION = re.compile(r"(?<![\w`])@[A-Za-z0-9]")
_HTML = re.compile(r"<(?!!--|sub>|/sub>)[A-Za-z/]")


@dataclass
class GitHubService:
    """The issues of the repository, oldest first."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    fail: list[web.Response] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)

    @property
    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._known])
        path = f"/repos/{REPOSITORY}/issues"
        app.router.add_get(path, self._list)
        app.router.add_post(path, self._create)
        app.router.add_patch(path + r"/{number:\d+}", self._update)
        app.router.add_post(path + r"/{number:\d+}/comments", self._comment)
        return app

    @web.middleware
    async def _known(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.fail:
            return self.fail.pop(0)
        if not request.headers.get("User-Agent"):
            return web.Response(status=403, text="Request forbidden by administrative rules")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "Bad credentials"}, status=401)
        found: web.StreamResponse = await handler(request)
        return found

    async def _list(self, request: web.Request) -> web.Response:
        size, page = int(request.query.get("per_page", "30")), int(request.query.get("page", "1"))
        if not 1 <= size <= 100 or request.query.get("state", "open") not in ("open", "closed", "all"):
            return web.json_response({"message": "Validation Failed"}, status=422)
        self.listed.append(request.query.get("since", ""))
        newest = sorted(self.issues, key=lambda one: int(one["number"]), reverse=True)
        shown = [one for one in newest if request.query["state"] in ("all", one["state"])]
        return web.json_response(shown[(page - 1) * size : page * size])

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not good_issue(body) or not body.get("title"):
            return web.json_response({"message": "Validation Failed"}, status=422)
        made = {"number": len(self.issues) + 1, "state": "open", **body}
        self.issues.append(made)
        return web.json_response(made, status=201)

    async def _update(self, request: web.Request) -> web.Response:
        body = await request.json()
        issue = next((one for one in self.issues if one["number"] == int(request.match_info["number"])), None)
        if issue is None:
            return web.json_response({"message": "Not Found"}, status=404)
        reasons = (None, "completed", "not_planned", "reopened", "duplicate")
        if not good_issue(body) or body.get("state", "open") not in ("open", "closed"):
            return web.json_response({"message": "Validation Failed"}, status=422)
        if body.get("state_reason") not in reasons:
            return web.json_response({"message": "Validation Failed"}, status=422)
        issue.update(body)
        return web.json_response(issue)

    async def _comment(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not good_issue(body) or not body.get("body"):
            return web.json_response({"message": "Validation Failed"}, status=422)
        self.comments.append((int(request.match_info["number"]), body["body"]))
        return web.json_response({"id": len(self.comments)}, status=201)


def good_issue(body: dict[str, Any]) -> bool:
    """Return whether title and body are within the limits."""
    return len(body.get("title", "")) <= 256 and len(body.get("body", "")) <= 65_536


def markup(body: str) -> list[str]:
    """Return what GitHub would read as mentions and HTML in a body: outside of code and of its comments."""
    left = _CODE.sub("", body)
    return [*_MENTION.findall(left), *_HTML.findall(left)]
