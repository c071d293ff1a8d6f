"""`modelward render`: what the operator would create, without a cluster."""

from __future__ import annotations

from modelward.cli.console import Manifests, fail

NEXT = "Example: modelward render examples/template.yaml; modelward preflight FILE shows what a cluster would do"


def render(file: Manifests) -> None:
    """Print what the operator would create for a file and patch into your workloads, without a cluster."""
    import sys

    import yaml

    from modelward.cli.rendering import RenderError, page

    try:
        text = page(list(yaml.safe_load_all(file.read_text())))
    except (RenderError, OSError, yaml.YAMLError) as error:
        fail(f"{file}: {error}")
    sys.stdout.write(text)
