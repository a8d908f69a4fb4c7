#!/bin/sh
# First process of the lab's namespaces: makes the root file system out of parts and becomes tini.
# Arguments: root file system of the cache, empty folder to mount on, state folder, cache folder.
set -eu
rootfs=$1 root=$2 state=$3 cache=$4
PATH=/usr/sbin:/usr/bin:/sbin:/bin

read -r stat </proc/self/stat # the host's /proc still, so the host's number of this process
pid=${stat%% *}
started=$(echo "${stat##*) }" | cut -d' ' -f20)

mount -t tmpfs -o mode=755 slipway "$root"
cd "$root"
mkdir -p usr dev proc sys run tmp root opt mnt old var/lib var/log var/tmp var/cache
chmod 1777 tmp var/tmp
ln -s ../run var/run
for link in bin sbin lib lib32 lib64 libx32; do
    if [ -L "$rootfs/$link" ]; then cp -P "$rootfs/$link" .; fi
done
cp -a "$rootfs/etc" etc
printf "%s" "$state" | md5sum | cut -c1-32 >etc/machine-id
cp -L /etc/resolv.conf etc/resolv.conf
printf '127.0.0.1 %s\n' "$(uname -n)" >>etc/hosts # else whoever asks for its own name waits for a DNS out of reach
cp -L /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/ca-certificates.crt
mount --bind "$rootfs/usr" usr
mount -o remount,bind,ro usr
mount --rbind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
for folder in "$state" "$cache"; do
    mkdir -p ".$folder"
    mount --bind "$folder" ".$folder"
done
mkdir -p "$state/data/log"
mount --bind "$state/data/log" var/log # pods' logs
pivot_root . old
mount --make-rprivate old
umount -l old
rmdir old
mount --make-rshared /
echo 1 >/proc/sys/net/ipv4/ip_forward
ip link set lo up
printf '%s %s -\n' "$pid" "$started" >"$state/run/node.pid.new"
mv "$state/run/node.pid.new" "$state/run/node.pid"
exec tini -- sh -c 'trap "" TERM INT HUP; exec sleep infinity'
