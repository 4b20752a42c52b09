import type { ComponentChildren } from 'preact';

/** A shape of its own for each state, so that none is told by its colour alone. */
const shapes = {
  /** A filled circle. */
  good: <circle cx="6" cy="6" r="5" fill="currentColor" />,
  /** A half-filled circle. */
  waiting: (
    <>
      <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M6 1.5a4.5 4.5 0 0 1 0 9z" fill="currentColor" />
    </>
  ),
  /** A cross in a square. */
  failed: (
    <>
      <rect width="12" height="12" rx="2" fill="currentColor" />
      <path d="M3.5 3.5l5 5m0-5l-5 5" stroke="var(--sheet)" stroke-width="1.6" stroke-linecap="round" />
    </>
  ),
  /** An empty circle. */
  absent: <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />,
  /** A dotted circle. */
  unknown: (
    <circle
      cx="6"
      cy="6"
      r="4.25"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-dasharray="1.7 1.7"
    />
  ),
  /** A diamond. */
  stale: <path d="M6 .5 11.5 6 6 11.5.5 6z" fill="currentColor" />,
  /** A triangle. */
  live: <path d="M2 1.2 11 6l-9 4.8z" fill="currentColor" />,
} as const;

export type Tone = keyof typeof shapes;

/** A shape and the word that it stands for. */
export function Mark({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <span class={`mark is-${tone}`}>
      <svg class="shape" viewBox="0 0 12 12" aria-hidden="true">
        {shapes[tone]}
      </svg>
      <span>{children}</span>
    </span>
  );
}
