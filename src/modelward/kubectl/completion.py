"""What kubectl offers to complete a command with: it runs `kubectl_complete-modelward` with the words so far."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.kubectl.arguments import COMMANDS, OF_ENDPOINT
from modelward.kubectl.cluster import Cluster
from modelward.kubectl.errors import PluginError
from modelward.kubectl.fleet import firing
from modelward.kubectl.samples import FAULT

NO_FILES = ":4"
"""The last line: the shell is to offer nothing of its own."""
HOW = """kubectl completes `kubectl modelward` by the program kubectl_complete-modelward, which lies beside
kubectl-modelward once `modelward plugin` has installed both. Your shell needs kubectl's own completion:
  bash: source <(kubectl completion bash)      zsh: source <(kubectl completion zsh)"""


def completion(words: Sequence[str], cluster: Cluster) -> str:
    """Return what the last word may become, a line each; nothing where the cluster does not answer."""
    *before, begun = words or ("",)
    try:
        found = _offered([word for word in before if not word.startswith("-")], cluster)
    except PluginError:
        found = []
    return "\n".join([*(one for one in found if one.startswith(begun)), NO_FILES])


def _offered(before: Sequence[str], cluster: Cluster) -> list[str]:
    if not before:
        return list(COMMANDS)
    command, *given = before
    if command not in OF_ENDPOINT:
        return []
    endpoints = cluster.objects("llmep")
    if not given:
        return sorted(one["metadata"]["name"] for one in endpoints)
    if command in ("ack", "silence"):
        return sorted({one["name"] for obj in endpoints if obj["metadata"]["name"] == given[0] for one in firing(obj)})
    return list(FAULT) if command == "label" and len(given) == 3 else []
