"""A real one-node Kubernetes for machines with no Docker, kind or registry: all from Debian, Go and Python packages.

  python3 devcluster up                 build what is missing (minutes, once), start (5 s), print the kubeconfig's path
  python3 devcluster build-images       build the project's images, and load them into a running cluster
  python3 devcluster kubectl get pods   kubectl with the right kubeconfig (also: helm)
  python3 devcluster down               stop and leave nothing behind; --purge also forgets objects, images and volumes

What it is: Kubernetes' own programs with CoreDNS, a default storage class `hostpath`, admission policies (validating
and mutating), OwnerReferencesPermissionEnforcement and an audit log. Images are tagged localhost/NAME:dev and need
imagePullPolicy IfNotPresent. The node runs in network, mount and process namespaces of its own; pod and Service
addresses answer directly on this machine. Mounted ConfigMaps are refreshed within about 10 s (elsewhere: 1-2 minutes).
What it is not: NetworkPolicy is accepted and NOT enforced; no hostPort, no load balancers, no metrics-server, one node.
~/.kube/config and KUBECONFIG are never touched. Addresses, ports and folders: devcluster/settings.py.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import control_plane
import images
import processes
import selftest
import tools
from settings import BIN, KUBECONFIG

import cluster


def _up(_: argparse.Namespace) -> None:
    cluster.up()
    print(KUBECONFIG)


def _control_plane(options: argparse.Namespace) -> None:
    if options.down:
        control_plane.down(options.keep)
        return
    control_plane.up(options.nodes, options.objects)
    print(KUBECONFIG)


def _build_images(options: argparse.Namespace) -> None:
    names = images.build(options.names)
    if processes.running("node"):
        for name in names:
            images.load(name)


def _images(options: argparse.Namespace) -> None:
    for name in images.built():
        size = f"{images.compressed_bytes(name) / 1e6:6.1f} MB compressed" if options.sizes else ""
        print(f"{name:40} {size}".rstrip())


def _through(program: str, arguments: list[str]) -> None:
    os.environ["KUBECONFIG"] = str(KUBECONFIG)
    os.execv(BIN / program, [program, *arguments])  # noqa: S606 - it is to become that program


_COMMANDS: dict[str, tuple[str, Callable[[argparse.Namespace], None]]] = {
    "up": ("start the cluster; does nothing when it runs", _up),
    "down": (
        "stop it and leave no process, mount, interface, rule or cgroup behind",
        lambda o: cluster.down(purge=o.purge),
    ),
    "status": ("what runs, and where logs, audit log and kubeconfig are", lambda _: print(cluster.status())),
    "kubeconfig": ("print the kubeconfig's path", lambda _: print(KUBECONFIG)),
    "load": ("put an image of buildah's store, or a tar archive, into the cluster", lambda o: images.load(o.image)),
    "build": ("build the cluster's programs into the cache", lambda _: cluster.prepare()),
    "build-images": ("build our images if their sources changed, and load them", _build_images),
    "images": ("list our images that are built", _images),
    "tools": (
        "install what tests use besides: prometheus, promtool, alertmanager, nginx, chromium, versitygw, kwok",
        lambda _: tools.install(),
    ),
    "control-plane": (
        "etcd, API server and controller-manager alone, without root, in a folder and on ports of your own",
        _control_plane,
    ),
    "selftest": ("down, up, run a pod, down; then prove that nothing is left", lambda _: selftest.run_selftest()),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 devcluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    made = {}
    for name, (description, action) in _COMMANDS.items():
        made[name] = commands.add_parser(name, help=description, description=description)
        made[name].set_defaults(action=action)
    for name in ("kubectl", "helm"):
        commands.add_parser(name, help=f"{name} with this cluster's kubeconfig", add_help=False)
    made["down"].add_argument("--purge", action="store_true", help="also delete objects, images and volumes")
    made["control-plane"].add_argument("--nodes", type=int, default=0, metavar="N", help="with N made-up nodes (kwok)")
    made["control-plane"].add_argument("--down", action="store_true", help="stop it and delete its folder")
    made["control-plane"].add_argument("--keep", type=Path, metavar="FOLDER", help="with --down: put its objects there")
    made["control-plane"].add_argument(
        "--objects", type=Path, metavar="FOLDER", help="begin with what --keep put there"
    )
    made["load"].add_argument("image", help="localhost/NAME:TAG or FILE.tar")
    made["build-images"].add_argument("names", nargs="*", help="only images whose name contains one of these")
    made["images"].add_argument("--sizes", action="store_true", help="with their compressed size")
    return parser


def main(arguments: list[str]) -> None:
    """Run one command."""
    if arguments[:1] in (["kubectl"], ["helm"]):
        _through(arguments[0], arguments[1:])
    options = _parser().parse_args(arguments)
    options.action(options)


if __name__ == "__main__":
    main(sys.argv[1:])
