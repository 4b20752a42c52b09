/**
 * What can be deployed beside the platform: `with:` in an environment, `up --with`. What each consists of is in
 * `plans/extras.ts`.
 */
export const extraNames = ['metrics', 'monitoring', 'argocd'] as const;
export type ExtraName = (typeof extraNames)[number];

export function isExtra(name: string): name is ExtraName {
  return extraNames.some((each) => each === name);
}
