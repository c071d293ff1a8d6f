"""ServiceAccounts of our pods in users' namespaces; they have no right on the Kubernetes API."""

from __future__ import annotations

from typing import Any

from modelward.desired.names import (
    EVALUATE_ACCOUNT,
    GATEWAY_ACCOUNT,
    NOTIFY_ACCOUNT,
    READER_ACCOUNTS,
    Component,
    shared_labels,
)


def gateway_account(namespace: str) -> dict[str, Any]:
    """Return the account of all gateways of a namespace; the hub knows them by it."""
    return _account(namespace, GATEWAY_ACCOUNT, "gateway")


def evaluate_account(namespace: str) -> dict[str, Any]:
    """Return the account of a namespace's evaluator Jobs, the only one that may read its exchanges from the hub."""
    return _account(namespace, EVALUATE_ACCOUNT, "evaluator")


def reader_accounts(namespace: str) -> tuple[dict[str, Any], ...]:
    """Return the accounts by whose tokens people read from the hub: of text and numbers, and of numbers alone.

    A token of one, which `kubectl create token` makes, is all that they are for: no pod runs as one.
    """
    return tuple(_account(namespace, name, "reader") for name in READER_ACCOUNTS)


def notify_account(namespace: str) -> dict[str, Any]:
    """Return the account of a namespace's Jobs that tell receivers; it may do nothing, at the hub neither."""
    return _account(namespace, NOTIFY_ACCOUNT, "notifier")


def _account(namespace: str, name: str, component: Component) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace, "labels": shared_labels(component)},
        "automountServiceAccountToken": False,
    }
