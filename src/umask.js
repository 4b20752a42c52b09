// Imported first: whatever this program and the programs that it starts write, no other user can write to it, also where
// the user's umask would allow that. Files that others must not read have a mode of their own.
process.umask(process.umask() | 0o022);
