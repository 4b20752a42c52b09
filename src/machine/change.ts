import type { Run } from '../lib/plan.ts';

/** One change of the system, outside the checkout and this user's folders: asked for before, recorded after. */
export interface Change {
  /** Names it in the record: `install-docker`. */
  readonly id: string;
  /** What will be so: `Docker installed with apt (docker.io)`. */
  readonly title: string;
  readonly why: string;
  /** What a person would type for the same. */
  readonly command: string;
  isNeeded(): Promise<boolean>;
  apply(run: Run): Promise<void>;
}
