set -eu
git init --quiet --bare --initial-branch=main "$GIT_DIR"
# Without --enable=receive-pack nobody can push.
exec git daemon --base-path=/srv/git --export-all --reuseaddr --informative-errors /srv/git
