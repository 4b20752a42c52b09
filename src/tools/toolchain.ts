import type { Docker } from './docker.ts';
import type { DockerCli } from './docker-cli.ts';
import type { Helm } from './helm.ts';
import type { Kind } from './kind.ts';
import type { Kubectl } from './kubectl.ts';
import type { Nodes } from './nodes.ts';

/** Everything outside this program that a plan's steps act on, as small ports. */
export interface Toolchain {
  readonly docker: Docker;
  readonly dockerCli: DockerCli;
  readonly nodes: Nodes;
  readonly kind: Kind;
  readonly kubectl: Kubectl;
  readonly helm: Helm;
}
