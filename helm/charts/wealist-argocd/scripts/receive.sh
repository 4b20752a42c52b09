# receive.sh <message> <folder>=<tree>…
# Makes a commit of these folders the head of main, from a pack on stdin that holds their trees. Prints the commit.
set -eu
message=$1
shift
export GIT_AUTHOR_NAME=wealist-local GIT_AUTHOR_EMAIL=wealist-local@localhost
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL

git unpack-objects -q
tree=$(for each in "$@"; do printf '040000 tree %s\t%s\n' "${each#*=}" "${each%%=*}"; done | git mktree)
parent=$(git rev-parse --quiet --verify refs/heads/main || true)
commit=$(git commit-tree "$tree" ${parent:+-p "$parent"} -m "$message")
git update-ref refs/heads/main "$commit" "$parent"
echo "$commit"
