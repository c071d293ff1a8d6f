"""Every version that the development cluster is built from."""

KUBERNETES = "1.35.4"  # the last minor that still accepts the containerd 1.6 of Debian 12
COREDNS = "1.14.5"
HELM = "4.3.1"
VERSITYGW = "1.8.0"
KWOK = "0.8.0"
GO = (1, 25)  # oldest Go that can fetch the toolchain named in the go.mod files
GO_BELOW = "1.27"
"""What was built with newer ones was not tried."""
DEBIAN = "trixie"  # root file system of the images

# What `build` installs by apt where it is missing: package → a file that proves it is there.
NODE_PACKAGES = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "conntrack": "/usr/sbin/conntrack",
    "ipset": "/usr/sbin/ipset",
    "iptables": "/usr/sbin/iptables",
    "iproute2": "/usr/bin/ip",
    "openssl": "/usr/bin/openssl",
    "util-linux": "/usr/bin/unshare",
    "mount": "/usr/bin/mount",
}
IMAGE_PACKAGES = {
    "buildah": "/usr/bin/buildah",
    "debootstrap": "/usr/sbin/debootstrap",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
}
TOOL_PACKAGES = {
    "chromium": "/usr/bin/chromium",
    "nginx-light": "/usr/sbin/nginx",
    "prometheus": "/usr/bin/prometheus",
    "prometheus-alertmanager": "/usr/bin/prometheus-alertmanager",
}
