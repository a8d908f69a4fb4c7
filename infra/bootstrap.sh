#!/bin/sh
# Print the path of uv; fetch it once, outside the checkout, where the machine has none.
set -eu
version=0.13.9
cache="${SLIPWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway}"
uv="$cache/uv-$version/bin/uv"
if [ ! -x "$uv" ]; then
    echo "fetching uv $version" >&2
    if ! command -v python3 >/dev/null || ! python3 -c 'import ensurepip' 2>/dev/null; then
        [ "$(id -u)" = 0 ] || { echo "python3 with venv is missing. Next: apt-get install python3-venv" >&2; exit 2; }
        { apt-get update -qq && apt-get install -y -qq python3 python3-venv; } >&2
    fi
    python3 -m venv "$cache/uv-$version.draft"
    "$cache/uv-$version.draft/bin/python" -m pip install --quiet "uv==$version" >&2
    # a virtual environment does not survive a move; only the program itself is wanted
    mkdir -p "$cache/uv-$version/bin"
    cp "$cache/uv-$version.draft/bin/uv" "$uv.draft"
    mv "$uv.draft" "$uv"
    rm -rf "$cache/uv-$version.draft"
fi
echo "$uv"
