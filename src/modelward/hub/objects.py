"""The object store behind the hub: a directory, memory, S3, Google Cloud Storage or Azure, all alike.

Credentials and endpoints of clouds come from their usual environment variables (AWS_ACCESS_KEY_ID,
AWS_ENDPOINT_URL, GOOGLE_SERVICE_ACCOUNT, AZURE_STORAGE_ACCOUNT_NAME ...) or from the pod's identity.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, from_url

from modelward.hub.durability import FolderSync
from modelward.hub.errors import HubError, HubSettingsError, store_full, store_unavailable

FULL = ("No space left on device", "os error 28", "Disk quota exceeded", "os error 122", "QuotaExceeded")
DELETE_BATCH = 500
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
"""What S3 says in the body of a refusal."""
_WRONG_KEY = "check the keys in the Secret that hub.objectStore.secretName names, and restart the hub"
_ADVICE = {
    "NoSuchBucket": "make the bucket, or correct the store's URL",
    "AccessDenied": "let the hub's account list, get, put and delete in the bucket",
    "SignatureDoesNotMatch": _WRONG_KEY,
    "InvalidAccessKeyId": _WRONG_KEY,
    "ExpiredToken": _WRONG_KEY,
}


class ObjectStore:
    """Get, put, list and delete with the hub's errors (HubError 507 when full, else 503)."""

    def __init__(self, url: str) -> None:
        """Open the store of a URL; SettingsError when the URL cannot be one."""
        self._store = _open(url)
        self._sync = FolderSync(Path(urlsplit(url).path)) if urlsplit(url).scheme == "file" else None

    async def put(self, path: str, data: bytes) -> None:
        """Write an object whole or not at all; when this returns it outlives a power cut."""
        try:
            await obstore.put_async(self._store, path, data)
            await self._synced(path)
        except (BaseError, OSError) as error:
            raise translated(error) from error

    async def get(self, path: str) -> bytes | None:
        """Return an object; None when it is not there (deleted meanwhile, say)."""
        try:
            result = await obstore.get_async(self._store, path)
            return bytes(await result.bytes_async())
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise translated(error) from error

    async def move(self, path: str, target: str) -> None:
        """Give an object another path; one that is gone is no error."""
        try:
            await obstore.rename_async(self._store, path, target)
            await self._synced(target, path)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise translated(error) from error

    async def paths(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """Yield path and size in bytes of every object below a prefix, which ends with a slash."""
        try:
            async for page in obstore.list(self._store, prefix=prefix, chunk_size=1_000):
                for entry in page:
                    yield str(entry["path"]), int(entry["size"])
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise translated(error) from error

    async def delete(self, paths: Sequence[str]) -> None:
        """Delete objects; one that is already gone is no error."""
        for start in range(0, len(paths), DELETE_BATCH):
            batch = list(paths[start : start + DELETE_BATCH])
            if not await self._deleted(batch):
                # One that was gone ends the batch: the others one by one.
                for path in batch:
                    await self._deleted([path])
            try:
                await self._synced(*batch)
            except OSError as error:
                raise translated(error) from error

    async def _synced(self, *paths: str) -> None:
        """Clouds answer when they have it; a directory is synced here."""
        if self._sync:
            await self._sync.synced(paths)

    async def _deleted(self, paths: list[str]) -> bool:
        try:
            await obstore.delete_async(self._store, paths)
        except (NotFoundError, FileNotFoundError):
            return False
        except (BaseError, OSError) as error:
            raise translated(error) from error
        return True


def translated(error: Exception) -> HubError:
    """Turn the store's error into the hub's; only the first line: the rest is the request with its headers."""
    whole = str(error).strip()
    text = whole.splitlines()[0].partition("<?xml")[0].rstrip()[:300] if whole else type(error).__name__
    code = _CODE.search(whole)
    told = f"{text} {code[1]}; {_ADVICE.get(code[1], 'see the log of the store')}" if code else text
    return store_full(told) if any(sign in whole for sign in FULL) else store_unavailable(told)


def _open(url: str) -> Any:
    scheme = urlsplit(url).scheme
    try:
        if scheme == "memory":
            return MemoryStore()
        if scheme == "file":
            return LocalStore(Path(urlsplit(url).path), mkdir=True, automatic_cleanup=True)
        if scheme in {"s3", "s3a", "gs", "az", "adl", "abfs", "abfss", "azure"}:
            return from_url(url)
    except (BaseError, OSError, ValueError) as error:
        raise HubSettingsError(f"cannot open the store {url}: {error}") from error
    raise HubSettingsError(f"not a store: {url!r}; use file:///dir, s3://bucket/prefix, gs://, az:// or memory://")
