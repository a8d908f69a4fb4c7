"""What base images leave out of Debian's packages, and what unpacked ones need beside them."""

__all__ = ["DOCUMENTS", "MERGED_USR", "PACKAGE_LIST", "UNPACKED"]

DOCUMENTS = (
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/bug",
    "usr/share/lintian",
    "usr/share/doc-base",
    "usr/share/doc/*/[!c]*",
    "usr/share/doc/*/changelog*",
    "var/log/*.log",
    "var/log/apt",
    "var/cache/ldconfig",
    "var/cache/apt",
    "var/lib/apt/lists/*",
)
# An unpacked package keeps its dynamic libraries, its copyright and little else.
UNPACKED = (
    *DOCUMENTS,
    "usr/bin/*",
    "usr/sbin/*",
    "usr/share/zoneinfo/right",
    "usr/share/zoneinfo/posix",
    "etc/alternatives",
    "etc/apt",
    "etc/cron*",
    "etc/default",
    "etc/dpkg",
    "etc/fstab",
    "etc/hostname",
    "etc/init*",
    "etc/issue*",
    "etc/logrotate.d",
    "etc/motd",
    "etc/profile*",
    "etc/resolv.conf",
    "etc/skel",
    "etc/update-motd.d",
    "usr/lib/systemd",
    "usr/lib/tmpfiles.d",
    "usr/lib/sysusers.d",
    "usr/lib/x86_64-linux-gnu/gconv",
    "usr/lib/x86_64-linux-gnu/perl*",
    "usr/share/base-files",
    "usr/share/base-passwd",
    "usr/share/debconf",
    "usr/share/debianutils",
    "usr/share/dict",
    "usr/share/dpkg",
    "usr/share/gdb",
    "usr/share/lto-disabled-list",
    "usr/share/menu",
    "usr/share/misc",
    "usr/share/perl*",
    "usr/share/polkit*",
    "usr/share/ubuntu",
    "var/backups",
    "var/lib/dpkg/[!s]*",
    "var/lib/dpkg/status",
    "var/lib/dpkg/status-old",
    "var/lib/apt",
)
MERGED_USR = (
    'mkdir -p "$1/usr/bin" "$1/usr/sbin" "$1/usr/lib" "$1/usr/lib64"',
    'for d in bin sbin lib lib64; do ln -s "usr/$d" "$1/$d"; done',
)
# Scanners read which packages an image without a package manager holds from here.
PACKAGE_LIST = (
    'mkdir --parents "$1/var/lib/dpkg/status.d"',
    (
        'for p in "$1"/var/cache/apt/archives/*.deb; do '
        'dpkg-deb --field "$p" > "$1/var/lib/dpkg/status.d/$(dpkg-deb --field "$p" Package)"; done'
    ),
)
