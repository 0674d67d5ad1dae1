#!/bin/sh
# Starts one Octant process. A setting may come from a file: OCTANT_SECRET_KEY_FILE=/run/secrets/key sets
# OCTANT_SECRET_KEY to what the file holds, so that no secret has to stand in the environment of the container.
set -eu

for pair in $(env | sed -n 's/^\(OCTANT_[A-Z_]*\)_FILE=.*/\1/p'); do
    case "$pair" in
        # These two are settings of their own whose value is a path.
        OCTANT_HEARTBEAT | OCTANT_COMMON_PASSWORDS) continue ;;
    esac
    eval "path=\${${pair}_FILE}"
    if [ ! -r "$path" ]; then
        echo "${pair}_FILE names $path, which cannot be read." >&2
        exit 2
    fi
    eval "$pair=\$(cat \"\$path\")"
    export "${pair?}"
    unset "${pair}_FILE"
done

# exec: signals reach Octant itself, which ends its work in order.
exec octant "$@"
