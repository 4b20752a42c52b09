import { signal } from '@preact/signals';

/** What a screen reader says; shown for a moment, too. */
export const announced = signal('');

let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string): void {
  announced.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    announced.value = '';
  }, 4_000);
}
