import { reload, setWatch } from '../actions.ts';
import { findHindrance, findRunningTask } from '../store.ts';

/** Reload a service, and reload it on each save. */
export function ServiceActions({ name }: { readonly name: string }) {
  const hindrance = findHindrance();
  const isReloading = findRunningTask(name, 'reload') !== undefined;
  const watch = findRunningTask(name, 'watch');
  return (
    <span class="actions">
      <button
        type="button"
        class="small"
        disabled={hindrance !== undefined || isReloading}
        title={hindrance ?? `npm run reload ${name}`}
        aria-label={`Reload ${name}`}
        onClick={() => reload(name)}
      >
        <span class={isReloading ? 'hidden' : ''}>Reload</span>
        <span class={isReloading ? 'over' : 'over hidden'}>Busy</span>
      </button>
      <button
        type="button"
        class="small"
        disabled={hindrance !== undefined && watch === undefined}
        title={hindrance ?? `npm run reload -- --watch ${name}`}
        aria-label={`Watch ${name}`}
        aria-pressed={watch !== undefined}
        onClick={() => setWatch(name, watch)}
      >
        Watch
      </button>
    </span>
  );
}
