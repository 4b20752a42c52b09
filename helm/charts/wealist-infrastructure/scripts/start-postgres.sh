# Starts PostgreSQL on /data/postgres, which it makes when there is none. The same for any image that has the programs.
set -eu
data=/data/postgres

# Made beside and renamed: an initdb that was killed leaves nothing that looks like data.
if [ ! -d "$data" ]; then
  rm -rf "$data.new"
  umask 077
  printf '%s\n' "$DB_PASSWORD" > /tmp/password
  initdb -D "$data.new" -U "$DB_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 > /tmp/initdb.log || { cat /tmp/initdb.log >&2; exit 1; }
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$data.new/pg_hba.conf"
  mv "$data.new" "$data"
else
  # PostgreSQL of another major version cannot read the files. They are neither changed nor replaced.
  written=$(cat "$data/PG_VERSION")
  program=$(postgres --version | sed 's/.* \([0-9]*\).*/\1/')
  if [ "$written" != "$program" ]; then
    echo "the data are of PostgreSQL $written, and this image is PostgreSQL $program: go back to the previous image," \
      "npm run db save NAME, move the folder of the volume away, npm run up, npm run db restore NAME" >&2
    exit 1
  fi
  # Data outlives clusters and their secrets: the password is always the present one.
  printf "ALTER ROLE \"%s\" PASSWORD '%s'\n" "$DB_USER" "$(printf '%s' "$DB_PASSWORD" | sed "s/'/''/g")" |
    postgres --single -D "$data" -c log_min_error_statement=panic postgres > /tmp/password.log ||
    { cat /tmp/password.log >&2; exit 1; }
fi

# The usual folder for the socket is not writable.
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections="$MAX_CONNECTIONS"
