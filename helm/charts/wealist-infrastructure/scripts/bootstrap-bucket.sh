# Makes the bucket where it is missing, and proves by a write that the server can keep objects.
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
# It ends with 0 whatever happens: what counts is the number of bytes that arrived.
versitygw test --endpoint "$ADMIN_ENDPOINT_URL" \
  bench --upload --bucket "$BUCKET" --prefix .ready/bootstrap --objsize 8 > /tmp/write 2>&1 || true
if ! grep -q 'upload: 8 in' /tmp/write; then
  echo "bucket $BUCKET takes no objects" >&2
  cat /tmp/write >&2
  exit 1
fi
echo "bucket $BUCKET is there and takes objects"
