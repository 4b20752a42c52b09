# Starts Redis on /data. Its configuration comes over standard input: a password among the arguments would be seen.
set -eu
quoted() { printf '"%s"' "$(printf '%s' "$1" | sed 's/["\\]/\\&/g')"; }

exec redis-server - << END
bind * -::*
protected-mode no
dir /data
appendonly yes
save ""
${REDIS_PASSWORD:+requirepass $(quoted "$REDIS_PASSWORD")}
END
