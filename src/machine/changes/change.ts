import type { Run } from '../../plan/plan.ts';

/** One change of the system, outside the checkout and this user's folders: confirmed and recorded before it is made. */
export interface Change {
  /** Its name in the record: `install-docker`. */
  readonly id: string;
  /** The result: `Docker installed with apt`. */
  readonly title: string;
  readonly why: string;
  /** Exactly what is done: a command line, or a file and its content. */
  readonly detail: string;
  /** Checks the system; changes nothing. */
  isNeeded(): Promise<boolean>;
  apply(run: Run): Promise<void>;
  /** After `apply` has failed: whether it changed nothing, so that the system is not recorded as changed. */
  isUntouched?(): Promise<boolean>;
}
