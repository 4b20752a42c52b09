import { defineCommand } from './command.ts';

export const command = defineCommand({
  summary: "print the shell's completion",
  arguments: {
    shell: { value: 'shell', summary: 'the shell', choices: ['bash', 'zsh', 'fish'], required: true },
  },
  async run() {},
});
