import type { CommandWords, Script } from './words.ts';

export function toFish({ program, words }: Script): string {
  const commands = words.map(({ name, summary }) => {
    return `complete -c wealist -n __fish_use_subcommand -a ${name} -d ${quoteFish(summary)}`;
  });
  return `function wealist
  node -- ${quoteFish(program)} $argv
end

complete -c wealist -e
complete -c wealist -f
${[...commands, ...words.flatMap(toLines)].join('\n')}
`;
}

function toLines({ name, flags, values }: CommandWords): readonly string[] {
  const start = `complete -c wealist -n ${quoteFish(`__fish_seen_subcommand_from ${name}`)}`;
  return [
    ...(values.length > 0 ? [`${start} -a ${quoteFish(values.join(' '))}`] : []),
    ...flags.map(({ flag, summary, values: own }) => {
      const value = own.length > 0 ? ` -x -a ${quoteFish(own.join(' '))}` : '';
      return `${start} -l ${flag.slice(2)}${value} -d ${quoteFish(summary)}`;
    }),
  ];
}

/** In fish, unlike in other shells, a backslash escapes within single quotes. */
function quoteFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
