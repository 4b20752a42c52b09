import { quote, type Script } from './words.ts';

export function toBash({ program, words }: Script): string {
  const cases = words.map(({ name, flags, values }) => {
    const follow = [...values, ...flags.map(({ flag }) => flag)].join(' ');
    return `    ${name}) words=${quote(follow)} ;;`;
  });
  return `wealist() { node ${quote(program)} "$@"; }

_wealist() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words='' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${quote(words.map(({ name }) => name).join(' '))}
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}

complete -F _wealist wealist
`;
}
