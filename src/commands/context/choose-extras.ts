import type { App } from '../../cli/command.ts';
import { type ExtraName, extraNames, isExtra } from '../../config/extras.ts';
import { quote } from '../../config/problems.ts';
import type { Environment } from '../../config/schema.ts';
import { canPull } from '../../images/can-pull.ts';
import type { Images } from '../../images/open-images.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findNearest } from '../../lib/nearest.ts';
import { toReference } from '../../lib/reference.ts';
import { type ExtrasChoice, extras } from '../../plans/extras.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';

/** The extras that the command line adds and removes. */
export interface WantedExtras {
  readonly added: readonly ExtraName[];
  readonly removed: readonly ExtraName[];
}

/**
 * The names behind `--with` and `--without`.
 * @throws {Failure} exit code 2 for an unknown name, for one in both, and for one that the environment's files add.
 */
export function parseExtras(
  {
    with: added,
    without: removed,
  }: { readonly with?: string | undefined; readonly without?: string | undefined },
  environment: Pick<Environment, 'with'>,
): WantedExtras {
  const wanted = { added: parseNames(added), removed: parseNames(removed) };
  const [both] = wanted.removed.filter((name) => wanted.added.includes(name));
  if (both) refuse(`${both} is in both --with and --without`, 'remove it from one of them');
  const [fixed] = wanted.removed.filter((name) => environment.with.includes(name));
  if (fixed)
    refuse(`${fixed} is listed under with: in your environment`, 'remove it from env/local.yaml first');
  return wanted;
}

function parseNames(text = ''): readonly ExtraName[] {
  const names = text.split(',').map((name) => name.trim());
  return [...new Set(names)].filter((name) => name !== '').map(requireExtra);
}

function requireExtra(name: string): ExtraName {
  if (isExtra(name)) return name;
  const nearest = findNearest(name, extraNames);
  refuse(
    `${quote(name)} is not an extra${nearest === undefined ? '' : `, nearest is ${nearest}`}`,
    `extras: ${extraNames.join(', ')}`,
  );
}

function refuse(message: string, hint: string): never {
  throw new Failure(message, { hint, exitCode: exitCodes.usage });
}

export interface ChooseExtrasDeps {
  readonly app: Pick<App, 'signal' | 'ui'>;
  readonly environment: Environment;
  readonly images: Pick<Images, 'catalog' | 'chain'>;
  /** What an earlier run has recorded for the same cluster. */
  readonly record: ClusterRecord | undefined;
}

/**
 * The cluster's extras: the recorded ones, those of the environment and those added now. Whether a missing optional image
 * can be pulled is checked when its extra is added or named again; in between, an image that is recorded as lacking stays so.
 */
export async function chooseExtras(
  { app, environment, images, record }: ChooseExtrasDeps,
  { added, removed }: WantedExtras,
): Promise<ExtrasChoice> {
  const before = record?.extras ?? [];
  const names = extraNames.filter(
    (name) => [...before, ...environment.with, ...added].includes(name) && !removed.includes(name),
  );
  const lacking = await Promise.all(
    names.flatMap((name) => extras[name].optionalImages.map((image) => decide(name, image))),
  );
  return { extras: names, lacking: lacking.filter((image) => image !== undefined) };

  async function decide(extra: ExtraName, image: ExtrasImage): Promise<string | undefined> {
    if (await images.chain.find(image)) return undefined;
    const isNew = added.includes(extra) || !before.includes(extra);
    if (!isNew && record?.lacking.includes(image)) return image;
    const { build, pull } = images.catalog[image];
    const registry = toReference(pull)?.registry ?? '';
    if (build || (await canPull(registry, environment, app))) return undefined;
    const substitute = extras[extra].substitutes?.[image];
    const how = substitute === undefined ? `without ${image}` : `with ${substitute} instead of ${image}`;
    app.ui.say(`${extra} runs ${how}: that image can only be pulled, and ${registry} cannot be reached`);
    return image;
  }
}

type ExtrasImage = (typeof extras)[ExtraName]['optionalImages'][number];
