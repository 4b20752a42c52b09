/** What can be deployed with the platform (`with:` in an environment, `up --with`); `plans/extras.ts` defines each. */
export const extraNames = ['metrics', 'monitoring', 'argocd'] as const;
export type ExtraName = (typeof extraNames)[number];

export function isExtra(name: string): name is ExtraName {
  return extraNames.some((each) => each === name);
}
