"""The keys by which collectors hash ids and conversations: one set for each namespace, made here and rotating.

Collectors hold the newest in memory. Older ones stay for as long as something may be kept that was hashed with them,
so that whoever names the original still finds it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from modelward.api.exchange import whole_number
from modelward.api.origin import origin_key
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError
from modelward.hub.layout import HOUR_MS
from modelward.hub.objects import ObjectStore

log = logging.getLogger(__name__)
KEY_BYTES = 32
RENEW_AFTER_S = 3_600
"""How long a collector uses a key before it asks again."""
ROTATE_MS = 7 * 24 * HOUR_MS
_LATE_MS = 24 * HOUR_MS
"""How long after its end a key may still be used by collectors that cannot reach the hub."""


@dataclass(frozen=True, slots=True)
class HashKey:
    """One key; `retired_ms` is when the next took its place (Unix milliseconds)."""

    secret: bytes
    made_ms: int
    retired_ms: int | None = None


@dataclass(slots=True)
class KeyRing:
    """The keys of all namespaces. `longest_ms` says how long anything of a namespace is kept."""

    objects: ObjectStore
    damage: Damage
    clock_ms: Callable[[], int]
    longest_ms: Callable[[str], int]
    _keys: dict[str, tuple[HashKey, ...]] = field(default_factory=dict)
    _unsaved: set[str] = field(default_factory=set)
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self) -> None:
        """Read what an earlier process made; a damaged set is set aside, and its namespace gets a new one."""
        found: dict[str, tuple[HashKey, ...]] = {}
        paths = [path async for path, _ in self.objects.paths(layout.KEYS_PREFIX)]
        for path in paths:
            namespace = path.removeprefix(layout.KEYS_PREFIX).removesuffix(".json")
            try:
                found[namespace] = _keys_from_json(orjson.loads(await self.objects.get(path) or b""))
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
                self.damage.found("keys", path)
                await self.damage.set_aside(path)
        self._keys = found

    async def newest(self, namespace: str) -> bytes:
        """Return the key to use now; the first is made on first use."""
        async with self._making:
            now_ms, keys = self.clock_ms(), self._keys.get(namespace, ())
            rotate_ms = max(ROTATE_MS, self.longest_ms(namespace))
            if not keys or abs(now_ms - keys[0].made_ms) > rotate_ms:
                keys = await self._rotate(namespace, keys, now_ms)
            return keys[0].secret

    def origin_keys(self, namespace: str) -> tuple[bytes, ...]:
        """Return the keys that marks of a namespace's traffic may be signed with, the newest first."""
        return tuple(origin_key(key.secret) for key in self._keys.get(namespace, ())[:2])

    async def signing(self, namespace: str) -> bytes:
        """Return the key to sign marks with: not the newest as long as collectors may not have asked for it yet."""
        await self.newest(namespace)
        keys = self._keys[namespace][:2]
        known_by_all = (key for key in keys if self.clock_ms() - key.made_ms > RENEW_AFTER_S * 1_000)
        return origin_key(next(known_by_all, keys[-1]).secret)

    def all(self, namespace: str) -> tuple[bytes, ...]:
        """Return all keys that something may still be hashed with, the newest first."""
        return tuple(key.secret for key in self._keys.get(namespace, ()))

    async def tidy(self, held: Collection[str]) -> None:
        """Forget keys that nothing is hashed with any more; `held` are the namespaces of which anything is kept."""
        for namespace in list(self._unsaved):
            await self._store(namespace, self._keys[namespace])
        now_ms = self.clock_ms()
        for namespace, keys in list(self._keys.items()):
            kept = tuple(key for key in keys if not self._over(namespace, key, now_ms))
            if namespace not in held and keys[0].made_ms + self.longest_ms(namespace) + _LATE_MS < now_ms:
                kept = ()
            if kept == keys:
                continue
            if kept:
                await self._store(namespace, kept)
            else:
                await self.objects.delete([layout.keys_path(namespace)])
                del self._keys[namespace]

    def _over(self, namespace: str, key: HashKey, now_ms: int) -> bool:
        return key.retired_ms is not None and key.retired_ms + self.longest_ms(namespace) + _LATE_MS < now_ms

    async def _rotate(self, namespace: str, keys: tuple[HashKey, ...], now_ms: int) -> tuple[HashKey, ...]:
        retired = tuple(key if key.retired_ms is not None else replace(key, retired_ms=now_ms) for key in keys)
        await self._store(namespace, (HashKey(secrets.token_bytes(KEY_BYTES), now_ms), *retired))
        log.info("key made namespace=%s older=%d", namespace, len(retired))
        return self._keys[namespace]

    async def _store(self, namespace: str, keys: tuple[HashKey, ...]) -> None:
        """Use keys from now on; where the store does not take them they are in memory only, until it does."""
        self._keys[namespace] = keys
        data = orjson.dumps({"keys": [_key_to_json(key) for key in keys]})
        try:
            await self.objects.put(layout.keys_path(namespace), data)
            self._unsaved.discard(namespace)
        except HubError as error:
            self._unsaved.add(namespace)
            log.error("keys not stored namespace=%s code=%s", namespace, error.code)


def _key_to_json(key: HashKey) -> dict[str, Any]:
    return {"secret": key.secret.hex(), "madeMs": key.made_ms, "retiredMs": key.retired_ms}


def _keys_from_json(data: Mapping[str, Any]) -> tuple[HashKey, ...]:
    keys = []
    for row in data["keys"]:
        retired = row.get("retiredMs")
        made_ms = whole_number(row["madeMs"])
        keys.append(HashKey(bytes.fromhex(row["secret"]), made_ms, None if retired is None else whole_number(retired)))
    if not keys or any(len(key.secret) != KEY_BYTES for key in keys):
        raise ValueError("a set of keys is not empty, and each has its full length")
    return tuple(keys)
