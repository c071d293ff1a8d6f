"""The cluster's certificate authority, its certificates, and kubeconfigs that carry them inside."""

import base64
import json
from pathlib import Path

from console import run
from settings import API_PORT, API_SERVICE, HOST_ADDRESS, KUBECONFIG, NODE, NODE_ADDRESS, PKI, STATE

# name: (common name, organisation, subject alternative names)
_SERVER_NAMES = ",".join(
    [f"IP:127.0.0.1,IP:{API_SERVICE},IP:{HOST_ADDRESS}"]
    + [f"DNS:{name}" for name in ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")]
    + ["DNS:kubernetes.default.svc.cluster.local"]
)
_CERTIFICATES = {
    "apiserver": ("kube-apiserver", "", _SERVER_NAMES),
    "apiserver-kubelet": ("kube-apiserver-kubelet-client", "system:masters", ""),
    "front-proxy": ("front-proxy-client", "", ""),
    "admin": ("devcluster-admin", "system:masters", ""),
    "controllers": ("system:kube-controller-manager", "", ""),
    "scheduler": ("system:kube-scheduler", "", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes", f"DNS:{NODE},IP:{NODE_ADDRESS}"),
    "proxy": ("system:kube-proxy", "", ""),
    "dns": ("devcluster:dns", "", ""),
    "provisioner": ("devcluster:provisioner", "", ""),
}
_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def ensure() -> None:
    """Make what is missing; a change of addresses makes everything anew."""
    marker = PKI / "made-for"
    wanted = json.dumps(_CERTIFICATES)
    if marker.exists() and marker.read_text() == wanted:
        return
    PKI.mkdir(parents=True, exist_ok=True)
    PKI.chmod(0o700)
    _authority()
    for name, (common_name, organisation, names) in _CERTIFICATES.items():
        _certificate(name, common_name, organisation, names)
    _service_account_key()
    for name in ("admin", "controllers", "scheduler", "kubelet", "proxy", "dns", "provisioner"):
        _kubeconfig(name, KUBECONFIG if name == "admin" else PKI / f"{name}.kubeconfig")
    marker.write_text(wanted)


def _authority() -> None:
    # Without keyUsage keyCertSign Python's TLS refuses the authority.
    usage = "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"
    run("openssl", "req", "-x509", *_EC, "-keyout", PKI / "ca.key", "-out", PKI / "ca.crt",
        "-days", "3650", "-subj", "/CN=modelward-devcluster", "-addext", usage)  # fmt: skip


def _certificate(name: str, common_name: str, organisation: str, names: str) -> None:
    subject = (f"/O={organisation}" if organisation else "") + f"/CN={common_name}"
    request, extensions = PKI / f"{name}.csr", PKI / f"{name}.ext"
    run("openssl", "req", *_EC, "-keyout", PKI / f"{name}.key", "-out", request, "-subj", subject)
    lines = ["keyUsage=critical,digitalSignature,keyEncipherment", "extendedKeyUsage=serverAuth,clientAuth"]
    extensions.write_text("\n".join(lines + ([f"subjectAltName={names}"] if names else [])) + "\n")
    run("openssl", "x509", "-req", "-in", request, "-CA", PKI / "ca.crt", "-CAkey", PKI / "ca.key", "-CAcreateserial",
        "-days", "3650", "-out", PKI / f"{name}.crt", "-extfile", extensions)  # fmt: skip
    request.unlink()
    extensions.unlink()


def _service_account_key() -> None:
    run("openssl", "genrsa", "-out", PKI / "sa.key", "2048")
    run("openssl", "rsa", "-in", PKI / "sa.key", "-pubout", "-out", PKI / "sa.pub")


def _kubeconfig(name: str, target: Path) -> None:
    server = f"https://{'127.0.0.1' if name not in ('kubelet', 'proxy') else HOST_ADDRESS}:{API_PORT}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "devcluster", "cluster": {"server": server, **_data("certificate-authority", "ca.crt")}}],
        "users": [
            {
                "name": name,
                "user": {**_data("client-certificate", f"{name}.crt"), **_data("client-key", f"{name}.key")},
            }
        ],
        "contexts": [{"name": "devcluster", "context": {"cluster": "devcluster", "user": name}}],
        "current-context": "devcluster",
    }
    STATE.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_text(json.dumps(config, indent=1))


def _data(field: str, file: str) -> dict[str, str]:
    return {f"{field}-data": base64.b64encode((PKI / file).read_bytes()).decode()}
