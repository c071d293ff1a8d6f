# Two images from one file: `modelward` (the last stage, so the default) and `collector` (--target collector), which is pulled beside
# every model. Builds with docker, podman and buildah. Any Debian-like BASE with Python 3.11 or newer and its venv module will do.
ARG BASE=python:3.13-slim-trixie

# pip and the build backend; nothing of this stage's own gets into an image.
FROM ${BASE} AS tools
# Passed by those who build behind a mirror, a proxy or a certificate authority of their own; none of it is kept.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG PIP_CERT
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN python3 -m venv /opt/tools \
 && printf 'modelward:x:65532:65532::/tmp:/usr/sbin/nologin\n' | cat /etc/passwd - > /opt/passwd \
 && printf 'modelward:x:65532:\n' | cat /etc/group - > /opt/group

# The environment that both images start from: empty, and it finds our own code in /opt/modelward/app.
FROM tools AS environment
RUN python3 -m venv --without-pip /opt/modelward \
 && echo /opt/modelward/app > "$(/opt/modelward/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/modelward.pth"

FROM environment AS collector-dependencies
COPY requirements/collector.txt /tmp/requirements.txt
RUN /opt/tools/bin/pip --python /opt/modelward/bin/python install -q --no-deps --require-hashes -r /tmp/requirements.txt \
 && /opt/modelward/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/modelward/lib

FROM environment AS modelward-dependencies
COPY requirements/runtime.txt /tmp/requirements.txt
RUN /opt/tools/bin/pip --python /opt/modelward/bin/python install -q --no-deps --require-hashes -r /tmp/requirements.txt

# The evaluators' embedding model: published weights in, 23 MB of int8 ONNX out.
FROM modelward-dependencies AS minilm
COPY requirements/build.txt /tmp/requirements.txt
RUN /opt/tools/bin/pip --python /opt/modelward/bin/python install -q --no-deps --require-hashes -r /tmp/requirements.txt
COPY src/modelward/__init__.py /opt/modelward/app/modelward/
COPY src/modelward/cli/__init__.py src/modelward/cli/evaluators.py /opt/modelward/app/modelward/cli/
COPY src/modelward/job/__init__.py src/modelward/job/minilm.py src/modelward/job/minilm_build.py src/modelward/job/minilm_graph.py /opt/modelward/app/modelward/job/
RUN /opt/modelward/bin/python -m modelward.cli.evaluators prepare --output /opt/minilm && chmod -R a+rX /opt/minilm

# What no run needs: test suites, and the parts of ONNX Runtime and of the Kubernetes client that we never import.
FROM modelward-dependencies AS modelward-environment
RUN cd /opt/modelward/lib/python3.*/site-packages \
 && find . -depth -type d \( -name tests -o -name test \) -exec rm -rf {} + \
 && rm -rf onnxruntime/transformers onnxruntime/tools onnxruntime/quantization \
 && /opt/modelward/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/modelward/lib \
 && printf '#!/opt/modelward/bin/python\nfrom modelward.cli.app import main\n\nmain()\n' > /opt/modelward/bin/modelward \
 && chmod 755 /opt/modelward/bin/modelward

# Our own code, whole and as the collector carries it; a change of a source file starts here.
FROM tools AS sources
COPY requirements/backend.txt /tmp/requirements.txt
RUN /opt/tools/bin/pip install -q --no-deps --require-hashes -r /tmp/requirements.txt
COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
RUN /opt/tools/bin/pip install -q --no-deps --no-index --no-build-isolation --target /opt/app /source \
 && rm -rf /opt/app/bin \
 && /opt/tools/bin/python -m compileall -q --invalidation-mode unchecked-hash -s /opt/app -p /opt/modelward/app /opt/app \
 && mkdir -p /opt/collector-app/modelward \
 && cp -r /opt/app/modelward-*.dist-info /opt/collector-app/ \
 && cd /opt/app/modelward && cp -r __init__.py __pycache__ py.typed engines api metrics privacy collector /opt/collector-app/modelward/

FROM ${BASE} AS collector
COPY --from=tools /opt/passwd /opt/group /etc/
COPY --from=collector-dependencies /opt/modelward /opt/modelward
COPY --from=sources /opt/collector-app /opt/modelward/app
ENV PATH=/opt/modelward/bin:/usr/local/bin:/usr/bin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 18080 18081
ENTRYPOINT ["/opt/modelward/bin/python", "-m", "modelward.collector"]

FROM ${BASE} AS modelward
COPY --from=tools /opt/passwd /opt/group /etc/
COPY --from=modelward-environment /opt/modelward /opt/modelward
COPY --from=minilm /opt/minilm /opt/modelward/minilm
COPY --from=sources /opt/app /opt/modelward/app
# ONNX Runtime 1.32 sends usage telemetry on Linux unless it is told not to.
ENV ORT_DISABLE_TELEMETRY=1 MODELWARD_MINILM=/opt/modelward/minilm
ENV PATH=/opt/modelward/bin:/usr/local/bin:/usr/bin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["modelward"]
