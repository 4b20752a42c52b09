import { access, constants, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { defaultSocket } from '../tools/docker/engine-socket.ts';
import { findProgram } from './host.ts';

/** The group whose members may use the engine's socket. */
export const engineGroup = 'docker';

export interface SessionOptions {
  /** Folder that stands for `/`. */
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly user?: string;
  /** IDs of the groups that this process has. */
  readonly groups?: readonly number[];
}

/**
 * Whether only the age of this session keeps its user from the engine: the user was added to the group after logging in,
 * and `sg` can start programs that have it. Runs no program, and takes one system call where the engine can be used.
 */
export async function lacksNewGroup({
  root = '/',
  env = process.env,
  user = userInfo().username,
  groups = process.getgroups?.() ?? [],
}: SessionOptions = {}): Promise<boolean> {
  if (env.DOCKER_HOST || !(await isRefused(join(root, defaultSocket)))) return false;
  const listed = parseGroups(await readFile(join(root, 'etc/group'), 'utf8').catch(() => ''));
  const group = listed.find(({ name }) => name === engineGroup);
  if (!group?.members.includes(user) || groups.includes(group.id)) return false;
  return (await findProgram('sg', env.PATH)) !== undefined;
}

interface Group {
  readonly name: string;
  readonly id: number;
  /** Users who have it beside their own group. */
  readonly members: readonly string[];
}

/** The groups of a file like /etc/group. */
export function parseGroups(text: string): readonly Group[] {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length === 4)
    .map(([name = '', , id, members = '']) => ({ name, id: Number(id), members: members.split(',') }));
}

async function isRefused(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'EACCES',
  );
}
