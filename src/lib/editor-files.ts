/**
 * Files that editors create beside the one that is edited, and remove again: vim (`.a.swp`, `4913`, `a~`), Emacs (`.#a`,
 * `#a#`), JetBrains (`a___jb_tmp___`), Kate (`.a.kate-swp`), GNOME (`.goutputstream-X`), LibreOffice (`.~lock.a#`), and
 * what a file system keeps of an open file that was removed (`.nfs…`, `.fuse_hidden…`).
 */
const editorFile =
  /^4913$|~$|^\..*\.(sw[a-px]|kate-swp)$|\.sw[op]$|^\.#|^#.*#$|___jb_(tmp|old|bak)___$|^\.goutputstream-|^\.~lock\..*#$|^\.(nfs|fuse_hidden)[0-9a-f]{8}|^\.DS_Store$/;

/** Whether an editor created this file for itself, judged by its name without folders. */
export function isEditorFile(name: string): boolean {
  return editorFile.test(name);
}
