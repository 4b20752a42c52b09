# Makes the bucket where it is missing. That the server can keep objects was proved when it started.
set -eu
echo "waiting for S3 at $ADMIN_ENDPOINT_URL"
until versitygw admin list-buckets > /tmp/buckets 2> /tmp/error; do
  # A server that answers, and refuses, does not become better by waiting.
  if grep -q 'api error' /tmp/error; then cat /tmp/error >&2; exit 1; fi
  sleep 0.2
done
if ! cut -d ' ' -f 1 /tmp/buckets | grep -qxF "$BUCKET"; then
  versitygw admin create-bucket --bucket "$BUCKET" --owner "$ADMIN_ACCESS_KEY_ID"
fi
echo "bucket $BUCKET is there"
