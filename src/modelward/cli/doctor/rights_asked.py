"""What the operator may do, asked of the API server by the operator itself, because only it can."""

from __future__ import annotations

import asyncio

from modelward.cli.cluster.installation import Setup
from modelward.cli.cluster.reading import ClusterReader
from modelward.cli.cluster.rights import own_reviews, reviews, told_reviews
from modelward.cli.doctor.observed import Rights
from modelward.kube.errors import ApiError
from modelward.kube.kinds import Object
from modelward.operator.runtime.settings import Settings

_AT_ONCE = 8


async def rights_asked(reading: ClusterReader, namespace: str, known: Setup) -> Rights:
    """Ask for each right where the operator needs it; a review is a create, but it is kept nowhere."""
    if not reading.as_operator:
        return Rights(reading.who)
    if known.settings is None:
        return Rights(reading.who, problem=f"it is not known which namespaces it serves: {known.problem}")
    asked = _asked(namespace, known.settings)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def allowed(review: Object) -> bool:
        async with gate:
            return bool((await reading.client.create(review))["status"].get("allowed"))

    try:
        answers = await asyncio.gather(*(allowed(review) for _, review in asked))
    except ApiError as error:
        return Rights(reading.who, problem=error.message)
    return Rights(reading.who, tuple(words for (words, _), yes in zip(asked, answers, strict=True) if not yes))


def _asked(namespace: str, settings: Settings) -> list[tuple[str, Object]]:
    """Return each right in words, with its review; no namespaces stand for all of them."""
    own = [(words, f" in {namespace}", review) for words, review in own_reviews(namespace)]
    needed = own if settings.hub_url is not None else [one for one in own if "configmaps" not in one[0]]
    told = told_reviews(namespace, settings.watch_namespaces)
    needed += [(words, f" in {namespace}", review) for words, review in told]
    for place in settings.watch_namespaces or ("",):
        asked = reviews(place, isolates=settings.isolate_containers, makes_rules=settings.policy_rules.enabled)
        needed += [(words, f" in {place}" if place else "", review) for words, review in asked]
    return [(f"{words}{where}", review) for words, where, review in needed]
