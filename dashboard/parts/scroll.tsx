import type { ComponentChildren } from 'preact';

/** A part of the page that scrolls sideways where it does not fit, also by keyboard. */
export function Scroll({
  label,
  class: extra = '',
  children,
}: {
  readonly label: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class={`scroll ${extra}`} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
