import { join } from 'node:path';
import { defineCommand } from '../cli/command.ts';
import { toBash } from '../cli/completion/bash.ts';
import { toFish } from '../cli/completion/fish.ts';
import { listWords } from '../cli/completion/words.ts';
import { toZsh } from '../cli/completion/zsh.ts';
import { extraNames } from '../config/extras.ts';
import { listEnvironments } from '../config/layers.ts';

const writers = { bash: toBash, zsh: toZsh, fish: toFish };

export const command = defineCommand({
  description:
    'Prints a shell function wealist, which does the same as npm run wealist from any folder, and the completion of its commands, flags and services. Add the line for your shell to its startup file.',
  arguments: {
    shell: { value: 'shell', summary: 'the shell', choices: ['bash', 'zsh', 'fish'], required: true },
  },
  examples: [
    'source <(npm run --silent wealist -- completion bash)',
    'source <(npm run --silent wealist -- completion zsh)',
    'npm run --silent wealist -- completion fish | source',
  ],

  async run(app, { shell }) {
    const { services } = await app.environment();
    const words = await listWords(app.commands, {
      services: Object.keys(services),
      extras: extraNames,
      environments: await listEnvironments(app.paths.checkout),
    });
    const script = writers[shell]({ program: join(app.paths.checkout, 'src/bin.js'), words });
    app.ui.result({ shell, script }, script);
  },
});
