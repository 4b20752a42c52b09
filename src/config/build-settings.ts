import { z } from 'zod';
import { path, pathBelow } from './path-rules.ts';

const targetRule = 'the name of a stage, such as production';
const argRule = 'a name such as VERSION';
const secretRule = 'a map with file or env, such as { env: NPM_TOKEN }';
const sshRule = 'default, or an ID with its socket or key, such as github=/home/me/.ssh/id_ed25519';
const contextRule = 'a folder, docker-image://<image> or https://<repository>';
const platformRule = 'a platform such as linux/amd64';

const variable = z.string('the name of a variable').regex(/^[A-Za-z_]\w*$/, 'the name of a variable');

/** How a Dockerfile is built, as with `docker build`: keys of a service, and of a base image. */
export const buildKeys = {
  target: z
    .string(targetRule)
    .regex(/^[A-Za-z0-9][\w.-]{0,127}$/, targetRule)
    .optional()
    .describe('Stage of the Dockerfile to build; default: the last one.'),
  args: z
    .record(
      z.string(argRule).regex(/^[A-Za-z_]\w*$/, argRule),
      z.string('a text').refine((text) => !text.includes('\0'), 'a text without null characters'),
      'a map from names of ARG to their values',
    )
    .optional()
    .describe('Values for ARG. They are readable in the image: use `secrets` for passwords.'),
  secrets: z
    .record(
      z.string('an ID such as npmrc').regex(/^\w[\w.-]{0,63}$/, 'an ID such as npmrc'),
      z.union([z.strictObject({ file: path('a file') }), z.strictObject({ env: variable })], secretRule),
      'a map from IDs to { file } or { env }',
    )
    .optional()
    .describe(
      'Secrets for RUN --mount=type=secret: a file relative to `source`, or an environment variable. Their values are no part of the source.',
    ),
  ssh: z
    .array(
      z.string(sshRule).regex(/^[\w.-]+(=[^\p{Cc}]+)?$/u, sshRule),
      'a list of agents or keys, such as [default]',
    )
    .optional()
    .describe('SSH agents or keys for RUN --mount=type=ssh.'),
  contexts: z
    .record(
      z
        .string('the name of a stage or image')
        .regex(/^[A-Za-z0-9][\w./:@-]{0,254}$/, 'the name of a stage or image'),
      path(contextRule),
      'a map from names to folders or images',
    )
    .optional()
    .describe(
      'Additional contexts: the folder (relative to `source`) or image that a name in FROM and --from means.',
    ),
  platform: z
    .string(platformRule)
    .regex(/^linux\/[a-z0-9]+(\/v[0-9]+)?$/, platformRule)
    .optional()
    .describe('Platform of the image; default: that of the engine.'),
};

const BuildSettings = z.strictObject(buildKeys);
export type BuildSettings = z.infer<typeof BuildSettings>;

const Base = z.strictObject(
  {
    dockerfile: pathBelow('a file of the source, such as docker/base/go/Dockerfile').describe(
      'Its Dockerfile, relative to `source`.',
    ),
    context: pathBelow('a folder of the source, such as docker/base/go')
      .optional()
      .describe('Its build context, relative to `source`; default: the folder of the Dockerfile.'),
    ...buildKeys,
  },
  'the keys dockerfile, context, target, args, secrets, ssh, contexts, platform',
);

/** Base images that are built here, by the name that FROM gives them. */
export const Bases = z.record(
  z
    .string('the name of an image, such as local/base:1')
    .regex(/^[a-z0-9][\w./:@-]{0,254}$/, 'the name of an image, such as local/base:1'),
  Base,
  'a map from names of images to their Dockerfiles',
);
export type Base = z.infer<typeof Base>;

/** The build settings of a service or base, without its other keys. */
export function toBuildSettings(keys: BuildSettings): BuildSettings {
  const names = Object.keys(buildKeys) as (keyof BuildSettings)[];
  const set = names.filter((name) => keys[name] !== undefined).map((name) => [name, keys[name]]);
  return Object.fromEntries(set) as BuildSettings;
}
