import { quote, type Script } from './words.ts';

export function toBash({ program, words }: Script): string {
  const cases = words.map(({ name, flags, values }) => {
    const follow = [...values, ...flags.map(({ flag }) => flag)].join(' ');
    return `    ${name}) words=${quote(follow)} ;;`;
  });
  const valueCases = words.flatMap(({ name, flags }) =>
    flags
      .filter(({ values }) => values.length > 0)
      .map(({ flag, values }) => `    ${quote(`${name} ${flag}`)}) words=${quote(values.join(' '))} ;;`),
  );
  return `wealist() { node -- ${quote(program)} "$@"; }

_wealist() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words='' ;;
  esac
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${[...valueCases, '    *) ;;'].join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${quote(words.map(({ name }) => name).join(' '))}
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}

complete -F _wealist wealist
`;
}
