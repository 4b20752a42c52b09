import { type Trigger, triggers } from './run-entries.ts';

/** What a program that starts this one says about the run, in the environment. */
export interface RunOrigin {
  readonly trigger: Trigger;
  /** The ID under which the run is recorded; undefined for a new one. */
  readonly runId: string | undefined;
}

const names = { trigger: 'WEALIST_TRIGGER', runId: 'WEALIST_RUN' } as const;

/** The variables that tell `takeRunOrigin` of a started program who has started it, and the ID of its run. */
export function toRunVariables({ trigger, runId }: RunOrigin): Readonly<Record<string, string>> {
  return { [names.trigger]: trigger, ...(runId === undefined ? {} : { [names.runId]: runId }) };
}

/** Reads who has started this run, and removes it from `env`: a program that this run starts is another run. */
export function takeRunOrigin(env: NodeJS.ProcessEnv): RunOrigin {
  const given = env[names.trigger];
  const runId = env[names.runId];
  delete env[names.trigger];
  delete env[names.runId];
  const started = env.npm_lifecycle_event === undefined ? 'terminal' : 'npm';
  return {
    trigger: triggers.find((each) => each === given) ?? started,
    runId: runId !== undefined && /^[0-9a-f-]{36}$/.test(runId) ? runId : undefined,
  };
}
