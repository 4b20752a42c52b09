import type { Releases } from '../cluster/releases.ts';
import type { ExtraName } from '../config/extras.ts';
import type { PodSecurity } from '../config/helm-values.ts';
import type { Environment, WorkerType } from '../config/schema.ts';
import type { Selection } from '../config/services.ts';
import type { Controller, PublicPorts } from '../config/values.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import type { ServiceImages } from '../images/build/service-image.ts';
import type { ImageChain } from '../images/chain.ts';
import type { Store } from '../images/store/store.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Watch } from '../lib/watchdog.ts';
import type { Step } from '../plan/plan.ts';
import type { EngineRecord } from '../state/engine-record.ts';
import type { Paths } from '../state/paths.ts';
import type { Git } from '../tools/git.ts';
import type { Go } from '../tools/go.ts';
import type { ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Postgres, PostgresPlace } from '../tools/postgres.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import type { ExtrasChoice } from './extras.ts';

/** What is decided before the plan is made: by the user, by an earlier run, by what this machine allows. */
export interface UpChoice {
  /** Whether every release is applied, even if unchanged, to undo manual changes in the cluster. */
  readonly repairs: boolean;
  readonly selection: Selection;
  readonly cluster: { readonly name: string; readonly nodes: readonly WorkerType[] } & PublicPorts &
    ExtrasChoice;
  readonly controller: Controller;
  /** Services of the environment that are built from their Dockerfiles; the others are stand-ins. */
  readonly fromSource: ReadonlySet<string>;
  /** Extras to remove. */
  readonly removedExtras: readonly ExtraName[];
  readonly checkoutId: string;
  readonly podSecurity: PodSecurity;
  /** The values file of secrets; undefined in the preview of a first run. */
  readonly secrets: string | undefined;
}

/** What the steps act on. */
export interface UpDeps {
  readonly paths: Paths;
  readonly toolchain: Toolchain;
  /** Ends calls to the cluster that cannot end by themselves. */
  readonly watch: Watch;
  /** Undefined before the engine is installed, and for one without an ID. */
  readonly engine: EngineRecord | undefined;
  readonly store: Store;
  readonly chain: ImageChain;
  readonly serviceImages: ServiceImages;
  readonly openApi: () => Promise<ApiServer>;
  readonly snapshots: Snapshots;
  readonly releases: Releases;
  /** PostgreSQL in this pod. */
  readonly openPostgres: (place: PostgresPlace) => Postgres;
  readonly go: Go;
  readonly git: Git;
  /** kind, kubectl and helm, where they must be obtained. */
  readonly tools: readonly Step[];
}

/** An image that an earlier step put into the store. @throws {Failure} exit code 7 when it was removed meanwhile. */
export async function requireFound<T>(found: Promise<T | undefined>, name: string): Promise<T> {
  const image = await found;
  if (image !== undefined) return image;
  throw new Failure(`image ${name} is not in the cache`, { hint: 'npm run up', exitCode: exitCodes.image });
}

/** The services that this run deploys, and those that an earlier one did: a partial `up` removes none. */
export async function listDeployed(
  { namespace }: Pick<Environment, 'namespace'>,
  { releases }: Pick<UpDeps, 'releases'>,
  { selection }: Pick<UpChoice, 'selection'>,
): Promise<ReadonlySet<string>> {
  const deployed = await releases(AbortSignal.timeout(20_000), 1_000);
  const here = deployed.filter((release) => release.namespace === namespace);
  return new Set([...selection.services, ...here.map(({ name }) => name)]);
}
