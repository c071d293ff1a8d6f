"""What to do where a test message did not arrive, by the word that the delivery has for it."""

from __future__ import annotations

from modelward.alerts.receiver import Answered, Told

_BY_WORD = {
    "SecretNotFound": "create the Secret with this key: kubectl create secret generic NAME --from-file KEY=FILE -n NS",
    "SecretUnusable": "write the value anew: one line of text, without spaces, at most 4 KiB",
    "NoAddress": "the key must hold the whole URL, with https://",
    "Forbidden": "whoever runs Modelward adds the host to the Helm value alerts.allowedHosts",
    "TLS": "let the Helm value podSettings.env.SSL_CERT_FILE name the authority of your proxy or server",
    "UnknownHost": "mend the host's name, or the cluster's DNS; behind a proxy set podSettings.env.HTTPS_PROXY",
    "Unreachable": "let the pod out: NetworkPolicies, firewalls; behind a proxy set podSettings.env.HTTPS_PROXY",
    "Timeout": "let the pod out: NetworkPolicies, firewalls; behind a proxy set podSettings.env.HTTPS_PROXY",
    "NoStartTLS": "use security TLS (port 465), or a server that offers STARTTLS",
    "Proxy": "the proxy of podSettings.env refuses; allow the host there",
}


def told_line(name: str, answered: Answered) -> str:
    """Return one line for a person: that it arrived, or why not and what to do."""
    if isinstance(answered, Told):
        return f"told: {name} has it" + (f" ({answered.ref})" if answered.ref else "")
    next_step = _BY_WORD.get(answered.cause.partition(" ")[0], "")
    again = "" if answered.permanent else "; it may pass by itself"
    return f"not told: {name}: {answered.cause}{again}" + (f"\nnext: {next_step}" if next_step else "")
