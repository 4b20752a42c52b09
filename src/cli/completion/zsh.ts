import { quote, type Script } from './words.ts';

export function toZsh({ program, words }: Script): string {
  const cases = words.map(({ name, flags, values }) => {
    const described = [
      ...values.map((value) => describe(value, '')),
      ...flags.map(({ flag, summary }) => describe(flag, summary)),
    ];
    return `    ${name}) follow=(${described.join(' ')}) ;;`;
  });
  const valueCases = words.flatMap(({ name, flags }) =>
    flags
      .filter(({ values }) => values.length > 0)
      .map(
        ({ flag, values }) =>
          `    ${quote(`${name} ${flag}`)}) follow=(${values.map((value) => describe(value, '')).join(' ')}) ;;`,
      ),
  );
  return `wealist() { node -- ${quote(program)} "$@" }

_wealist() {
  local -a follow
  if (( CURRENT == 2 )); then
    follow=(${words.map(({ name, summary }) => describe(name, summary)).join(' ')})
    _describe command follow
    return
  fi
  case "$words[2]" in
${cases.join('\n')}
  esac
  case "$words[2] $words[CURRENT-1]" in
${[...valueCases, '    *) ;;'].join('\n')}
  esac
  _describe word follow
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _wealist wealist
`;
}

/** `word:description`, the format of zsh's _describe. */
function describe(word: string, summary: string): string {
  const escaped = word.replaceAll(':', '\\:');
  return quote(summary ? `${escaped}:${summary}` : escaped);
}
