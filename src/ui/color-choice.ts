import type { UiOptions } from './ui.ts';

/**
 * What the environment says about colours: NO_COLOR turns them off (no-color.org), FORCE_COLOR turns them on where the
 * output is no terminal, as for `less -R` (force-color.org). Node and picocolors take the value 0 of it as off.
 */
export function readColorChoice({ NO_COLOR, FORCE_COLOR }: Readonly<NodeJS.ProcessEnv>): UiOptions['color'] {
  if (NO_COLOR) return 'never';
  if (!FORCE_COLOR) return 'auto';
  return FORCE_COLOR === '0' || FORCE_COLOR === 'false' ? 'never' : 'always';
}
