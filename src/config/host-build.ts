import { isAbsolute, posix } from 'node:path';
import { z } from 'zod';
import { path, pathBelow } from './path-rules.ts';

const commandRule = 'a command such as go build -o {out}/api ./cmd/api, or a list of its words';
const fromRule = 'a file or folder that the command makes, such as {out}/api';
const toRule = 'an absolute path in the image, such as /app/api';

const command = z
  .string(commandRule)
  .regex(/^[^\p{Cc}"'`$|&;<>]+$/u, 'a command without quotes and signs of a shell; or a list of its words');

/** How a service is built on this machine, over the last stage of its Dockerfile: `build: host`. */
export const HostBuild = z.strictObject(
  {
    run: z
      .union(
        [command, z.array(z.string(commandRule).min(1, commandRule), commandRule).min(1, commandRule)],
        commandRule,
      )
      .describe(
        'The command; no shell runs it. {out} is an empty temporary folder. CGO_ENABLED=0, GOOS and GOARCH are set for the node.',
      ),
    in: pathBelow('a folder of the source, such as services/user-service').describe(
      'Folder in which the command runs, relative to `source`.',
    ),
    env: z
      .record(
        z.string('a name').regex(/^[A-Za-z_]\w*$/, 'a name such as GOFLAGS'),
        z.string('a text'),
        'a map from names of variables to their values',
      )
      .optional()
      .describe('Environment variables of the command.'),
    files: z
      .array(
        z.strictObject(
          {
            from: path(fromRule)
              .refine((text) => !/(^|\/)\.\.(\/|$)/.test(text), fromRule)
              .describe('Relative to `in`, or below {out}; * in the name stands for one file.'),
            to: path(toRule)
              .refine((text) => isAbsolute(text) && posix.normalize(text) === text && text !== '/', toRule)
              .refine(
                (text) => !/^\/(bin|sbin|lib|lib64|run|var\/run)(\/|$)/.test(text),
                'a path without links, such as /usr/bin in place of /bin: a layer would replace the link',
              )
              .describe('In the image. A folder replaces the one of the Dockerfile.'),
          },
          'the keys from, to',
        ),
        'a list of files: [{ from, to }]',
      )
      .min(1, 'a list of files: [{ from, to }]')
      .describe('What the command makes, and where it belongs in the image.'),
  },
  'the keys run, in, env, files',
);
export type HostBuild = z.infer<typeof HostBuild>;

/** The words of the command. */
export function toWords(run: HostBuild['run']): readonly string[] {
  return typeof run === 'string' ? run.trim().split(/\s+/) : run;
}
