#!/bin/sh
# Already in the lab's process namespace, still with the host's files: records this process under the
# host's number, goes into the lab's cgroups and root, and becomes the component.
# Arguments: init's process id, record, log, cgroup, fingerprint, then the component's argv.
init=$1 record=$2 log=$3 cgroup=$4 fingerprint=$5
shift 5
exec </dev/null >>"$log" 2>&1
for folder in /sys/fs/cgroup"$cgroup" /sys/fs/cgroup/*"$cgroup"; do
    if [ -d "$folder" ]; then echo 0 >"$folder/cgroup.procs"; fi
done
read -r stat </proc/self/stat
started=$(echo "${stat##*) }" | cut -d' ' -f20)
printf '%s %s %s\n' "${stat%% *}" "$started" "$fingerprint" >"$record.new"
mv "$record.new" "$record"
exec nsenter --target "$init" --mount -- "$@"
