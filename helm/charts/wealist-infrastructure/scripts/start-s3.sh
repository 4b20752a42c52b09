# Starts VersityGW on /data/buckets with the arguments given.
set -eu
mkdir -p /data/buckets /data/metadata
# Without this the server would start, answer every probe, and refuse every object.
for folder in /data/buckets /data/metadata; do
  [ -w "$folder" ] || { echo "$folder belongs to $(stat -c %u "$folder"), user $(id -u) may not write to it" >&2; exit 1; }
done
exec versitygw "$@"
