import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Question } from '../../src/dashboard/protocol.ts';
import type { Answer } from '../actions.ts';
import { ask } from '../connection.ts';
import { toClock, toDuration } from '../format.ts';
import { Command } from '../parts/copy.tsx';
import { connection } from '../store.ts';

interface Asked {
  readonly isAsking: boolean;
  readonly answer?: Answer;
  readonly at?: number;
  readonly took?: number;
}

const answers = signal<Readonly<Partial<Record<Question, Asked>>>>({});

async function request(what: Question): Promise<void> {
  const begun = Date.now();
  answers.value = { ...answers.value, [what]: { ...answers.value[what], isAsking: true } };
  const answer = await ask(what);
  answers.value = {
    ...answers.value,
    [what]: { isAsking: false, answer, at: begun, took: Date.now() - begun },
  };
}

export interface AskedPageProps<T> {
  readonly title: string;
  readonly what: Question;
  readonly button: string;
  readonly about: string;
  readonly children: (value: T) => ComponentChildren;
}

/** A page whose content is read only when the user asks for it, since that takes seconds. */
export function AskedPage<T>({ title, what, button, about, children }: AskedPageProps<T>) {
  const { isAsking = false, answer, at, took = 0 } = answers.value[what] ?? {};
  return (
    <main>
      <div class="toolbar">
        <h1>{title}</h1>
        <button
          type="button"
          disabled={isAsking || connection.value !== 'open'}
          onClick={() => void request(what)}
        >
          {button}
        </button>
        <span class="note">
          {isAsking
            ? 'This takes some seconds.'
            : at === undefined
              ? about
              : `as of ${toClock(at)}, ${toDuration(took)}`}
        </span>
      </div>
      {answer?.error && (
        <p class="notice">
          <strong>{answer.error.message}</strong>
          {answer.error.because === undefined ? '' : `: ${answer.error.because}`}{' '}
          {answer.error.fix !== undefined && <Command line={answer.error.fix} />}
        </p>
      )}
      {answer?.value !== undefined && children(answer.value as T)}
    </main>
  );
}
