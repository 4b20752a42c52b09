# Runs databases.sql as soon as PostgreSQL answers.
set -eu
echo "waiting for PostgreSQL at $PGHOST:$PGPORT"
until pg_isready -q; do sleep 0.2; done
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres --file=/bootstrap/databases.sql
echo "databases and roles are there"
