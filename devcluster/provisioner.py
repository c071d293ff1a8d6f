"""Volumes of the class `hostpath`: a folder for each claim, gone with it. A process beside the control plane."""

import http.client
import shutil
import time
from typing import Any

from api import Client, RefusedError
from settings import PROVISIONER, STORAGE_CLASS, VOLUMES

_CLAIMS = "/api/v1/persistentvolumeclaims"
_VOLUMES = "/api/v1/persistentvolumes"


def main() -> None:
    """Go over everything, then follow changes; start over when the API server ends a watch or goes away."""
    client = Client("provisioner")
    while True:
        try:
            _once(client)
        except (OSError, ValueError, http.client.HTTPException, RefusedError) as error:
            print(f"again in a second: {error}", flush=True)
            time.sleep(1)


def _once(client: Client) -> None:
    for volume in client.call("GET", _VOLUMES)["items"]:
        _release(client, volume)
    claims = client.call("GET", _CLAIMS)
    for claim in claims["items"]:
        _provide(client, claim)
    for event in client.watch(_CLAIMS, claims["metadata"]["resourceVersion"]):
        if event["type"] == "ERROR":
            return
        if event["type"] == "DELETED":
            _await_release(client, event["object"].get("spec", {}).get("volumeName", ""))
        else:
            _provide(client, event["object"])


def _provide(client: Client, claim: dict[str, Any]) -> None:
    spec, metadata = claim["spec"], claim["metadata"]
    if spec.get("storageClassName") != STORAGE_CLASS or spec.get("volumeName") or "deletionTimestamp" in metadata:
        return
    name = f"pvc-{metadata['uid']}"
    folder = VOLUMES / f"{metadata['namespace']}-{metadata['name']}-{metadata['uid']}"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)  # kubelet does not apply fsGroup to host paths, and pods run as many users
    reference = {key: metadata[key] for key in ("name", "namespace", "uid")}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": STORAGE_CLASS,
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **reference},
            "hostPath": {"path": str(folder), "type": "Directory"},
        },
    }
    try:
        client.call("POST", _VOLUMES, volume)
        print(f"made {name} for {metadata['namespace']}/{metadata['name']}", flush=True)
    except RefusedError as error:
        if error.status != http.client.CONFLICT:
            raise


def _await_release(client: Client, name: str) -> None:
    # The volume controller marks the volume Released a moment after its claim has gone; the next full pass is the net.
    for _ in range(20):
        if not name:
            return
        try:
            if _release(client, client.call("GET", f"{_VOLUMES}/{name}")):
                return
        except RefusedError:
            return
        time.sleep(0.1)


def _release(client: Client, volume: dict[str, Any]) -> bool:
    provisioned_by = volume["metadata"].get("annotations", {}).get("pv.kubernetes.io/provisioned-by")
    if provisioned_by != PROVISIONER or volume.get("status", {}).get("phase") not in ("Released", "Failed"):
        return False
    folder = (VOLUMES / volume["spec"]["hostPath"]["path"]).resolve()
    if folder.parent == VOLUMES.resolve():  # a volume edited by hand must not delete anything else
        shutil.rmtree(folder, ignore_errors=True)
    client.call("DELETE", f"{_VOLUMES}/{volume['metadata']['name']}")
    print(f"deleted {volume['metadata']['name']}", flush=True)
    return True


if __name__ == "__main__":
    main()
