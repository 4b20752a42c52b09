/*
 * Shell scripts that run in the pod of PostgreSQL, whose image has sh, the usual small programs and PostgreSQL's own.
 * Its socket is in /tmp and needs no password. Input comes as arguments.
 */

/** psql for scripts: without the user's settings, and ended by the first error. */
const psql = `psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host=/tmp --username="$DB_USER"`;

/** Where the image has no sha256sum, busybox has one. */
const hash = `hash() { (sha256sum "$1" 2>/dev/null || busybox sha256sum "$1") | cut -d ' ' -f 1; }`;

/** $1: the database. Reads SQL. */
export const runSql = `exec ${psql} --no-align --tuples-only --dbname="$1" --file=-`;

/** $1: the database, $2: its search path or empty, the rest: arguments of psql. The image has no pager. */
export const openPsql = `name=$1; [ -z "$2" ] || export PGOPTIONS="-c search_path=$2"; shift 2; export PSQL_HISTORY=/tmp/.psql_history PAGER=; exec psql --host=/tmp --username="$DB_USER" --dbname="$name" "$@"`;

/**
 * $1: a folder to make, the rest: databases. Prints for each dump its SHA-256, bytes and database.
 *
 * The tables of one database after the other are locked against writing, each by a psql that runs the script for the
 * next one; in the innermost all are dumped at once, so that all dumps are of one moment. Writes are blocked meanwhile.
 * However it is ended, the locks end with its connections.
 */
export const saveDatabases = `
set -eu
${hash}
dir=$1
shift
if [ -z "\${WEALIST_LOCKING:-}" ]; then
  # Left by a save that was killed.
  rm -rf /tmp/wealist-save-*
  umask 077
  mkdir "$dir"
  cat > "$dir/save.sh"
  printf '%s\\n' "$@" > "$dir/names"
  export WEALIST_LOCKING=1
  sh "$dir/save.sh" "$dir" "$@" >&2
  [ -e "$dir/done" ]
  while read -r name; do
    echo "$(hash "$dir/$name.dump") $(stat -c %s "$dir/$name.dump") $name"
  done < "$dir/names"
  exit
fi
if [ $# = 0 ]; then
  dumps=
  while read -r name; do
    pg_dump --host=/tmp --username="$DB_USER" --format=custom --compress=1 --lock-wait-timeout=10s \\
      --file="$dir/$name.dump" "$name" &
    dumps="$dumps $!"
  done < "$dir/names"
  for dump in $dumps; do wait "$dump"; done
  touch "$dir/done"
  exit
fi
name=$1
shift
export WEALIST_SAVE="$dir" WEALIST_REST="$*"
${psql} --output=/dev/null --dbname="$name" <<'SQL'
-- A database or role may have timeouts, and this transaction waits for the dump.
SELECT set_config(name, '0', false) FROM pg_settings
  WHERE name IN ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout');
-- Where a writer holds one table and waits for another, this transaction is the one that fails.
SET lock_timeout = '5s';
SET deadlock_timeout = '100ms';
BEGIN;
SELECT format('LOCK TABLE %s IN SHARE MODE', string_agg(format('%I.%I', schemaname, tablename), ', '))
  FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') HAVING count(*) > 0 \\gexec
\\! sh "$WEALIST_SAVE/save.sh" "$WEALIST_SAVE" $WEALIST_REST >&2
ROLLBACK;
SQL
`;

/** $1: the folder of \`saveDatabases\`, $2: the database. Prints the dump. */
export const printDump = `exec cat "$1/$2.dump"`;

/** $1: a folder that \`saveDatabases\` made. */
export const removeFolder = `exec rm -rf "$1"`;

/**
 * $1: an empty database, $2: the SHA-256 of the dump, which is read, $3: the search path of who uses the database, as
 * SQL. Not one transaction, whose locks would run out with many large objects: no client uses the database yet.
 *
 * A dump sets an empty search path, so that its own names mean what they meant. With it a function fails that names
 * another one without its schema, as soon as a row, a constraint or an index calls it. So the data and what is made of
 * them get the path of who uses the database, and after it all other schemas.
 */
export const restoreDump = `
set -eu
${hash}
umask 077
dir=$(mktemp -d /tmp/wealist-restore-XXXXXX)
trap 'rm -rf "$dir"' EXIT
cat > "$dir/dump"
if [ "$(hash "$dir/dump")" != "$2" ]; then
  echo "the dump of $1 did not arrive whole" >&2
  exit 3
fi
cat > "$dir/path.sql" <<SQL
SET search_path TO $3;
SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ',
  nullif(replace(current_setting('search_path'), '"\\$user"', (
    SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database())), ''),
  (SELECT string_agg(quote_ident(nspname), ', ' ORDER BY nspname) FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')), false);
SQL
print_section() {
  pg_restore --section="$1" --file=- "$dir/dump" || touch "$dir/failed"
}
use_search_path() {
  while IFS= read -r line; do
    if [ "$line" = "SELECT pg_catalog.set_config('search_path', '', false);" ]; then
      cat "$dir/path.sql"
      break
    fi
    printf '%s\\n' "$line"
  done
  cat
}
fill() {
  # Lost with the server, it is restored again.
  PGOPTIONS='-c synchronous_commit=off' ${psql} --output=/dev/null --dbname="$1" --file=-
}
print_section pre-data | fill "$1"
print_section data | use_search_path | fill "$1"
print_section post-data | use_search_path | fill "$1"
[ ! -e "$dir/failed" ]
`;

/** Restores of killed runs go on in the pod; without their dumps they end. */
export const endRestores = 'exec rm -rf /tmp/wealist-restore-*';

/**
 * Reads SQL that renames databases in one transaction, $1: their names, with commas. A rename waits until
 * no client is connected and admits none meanwhile, so all clients are disconnected until it has succeeded.
 */
export const swapDatabases = `
set -eu
file=$(mktemp /tmp/swap.XXXXXX)
trap 'rm -f "$file"' EXIT
cat > "$file"
${psql} --dbname=postgres --file="$file" &
swap=$!
while kill -0 "$swap" 2>/dev/null; do
  ${psql} --output=/dev/null --dbname=postgres --set=names="$1" <<'SQL'
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY (string_to_array(:'names', ','));
SQL
  sleep 0.1
done
wait "$swap"
`;
