# Starts VersityGW on /data/buckets with the arguments given.
set -eu
mkdir -p /data/buckets /data/metadata
# Without this the server would start, answer every probe, and refuse every object.
for folder in /data/buckets /data/metadata; do
  if ! { echo proof > "$folder/.proof" && rm "$folder/.proof"; }; then
    echo "$folder cannot be written by user $(id -u); it belongs to user $(stat -c %u "$folder")" >&2
    exit 1
  fi
done
exec versitygw "$@"
