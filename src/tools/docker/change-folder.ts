import type { Readable } from 'node:stream';

/**
 * A change of one path. `put`: the file or link of the archive. `keep`: the same with the mode of the file that it
 * replaces, if there is one. `folder:755`: a folder with this mode. `remove`: the path with everything below it.
 */
export interface FolderChange {
  /** Relative to the folder. */
  readonly path: string;
  readonly action: 'put' | 'keep' | 'remove' | `folder:${string}`;
}

export interface FolderChanges {
  /** A tar with the files and links to put. */
  readonly archive: Readable;
  /** In the order in which they are made. */
  readonly changes: readonly FolderChange[];
}

/**
 * Takes a folder and the actions and paths of the changes; the archive is its standard input. A container may have put a
 * symbolic link into the folder, which this script, root of the node, must not follow out. The archive is unpacked beside
 * the folder, where the container does not see it, and each file is moved to its path by one rename. What is new belongs
 * to the owner of the folder that it is in.
 */
export const changeScript = `set -e
cd "$1"; shift
here=$(pwd -P)
new=$(mktemp -d "$here.wealist-XXXXXX"); trap 'rm -rf "$new"' EXIT
tar -x -p -f - -C "$new"
while [ $# -gt 0 ]; do
  action=$1 path=./$2; shift 2
  folder=$(dirname "$path")
  case "$(realpath -m "$folder")/" in "$here"/*) ;; *) echo "$path leads out of $here" >&2; exit 1 ;; esac
  isfolder=
  if [ -d "$path" ] && [ ! -L "$path" ]; then isfolder=yes; fi
  case $action in
    remove) rm -rf "$path" ;;
    folder:*)
      if [ ! "$isfolder" ]; then
        rm -f "$path"; mkdir -p "$path"; chown --reference="$folder" "$path"
      fi
      chmod "\${action#folder:}" "$path" ;;
    put | keep)
      mkdir -p "$folder"
      if [ "$isfolder" ]; then rm -rf "$path"; fi
      like=$folder
      if [ -f "$path" ] && [ ! -L "$path" ]; then
        like=$path
        if [ "$action" = keep ]; then chmod --reference="$path" "$new/$path"; fi
      fi
      chown -h --reference="$like" "$new/$path"
      mv -f -T "$new/$path" "$path" ;;
  esac
done`;
