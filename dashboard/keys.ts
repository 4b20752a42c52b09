import { reload, setWatch } from './actions.ts';
import { areKeysOn, isHelpOpen } from './keys-help.ts';
import { isPaused, setMark } from './pages/logs.tsx';
import { chosen, listShown } from './pages/services.tsx';
import { navigate, page, toLogsPath, toServicePath } from './route.ts';
import { findRunningTask, services } from './store.ts';

/** The service that a key is about: the one of the page, or of the chosen row. */
function findSubject(): string | undefined {
  const { name, service } = page.value;
  return name === 'service' ? service : name === 'services' ? chosen.value : undefined;
}

function move(step: 1 | -1): void {
  const names = listShown();
  const at = chosen.value === undefined ? -1 : names.indexOf(chosen.value);
  const next =
    at === -1 && step === -1 ? names.length - 1 : Math.min(names.length - 1, Math.max(0, at + step));
  chosen.value = names[next];
  const row = document.querySelector<HTMLElement>(`tr[data-part="${CSS.escape(chosen.value ?? '')}"]`);
  row?.scrollIntoView({ block: 'nearest' });
  row?.querySelector<HTMLElement>('a.name')?.focus({ preventScroll: true });
}

const isService = (name: string | undefined): name is string =>
  services.value.some((each) => each.name === name);

const handlers: Readonly<Record<string, () => void>> = {
  '/': () => document.querySelector<HTMLInputElement>('[data-search]')?.focus(),
  j: () => page.value.name === 'services' && move(1),
  k: () => page.value.name === 'services' && move(-1),
  l: () => {
    const subject = findSubject();
    navigate(subject === undefined ? '/logs' : toLogsPath(subject));
  },
  r: () => {
    const subject = findSubject();
    if (isService(subject)) reload(subject);
  },
  m: () => page.value.name === 'logs' && setMark(),
  '.': () => {
    const subject = findSubject();
    if (page.value.name === 'logs') isPaused.value = !isPaused.value;
    else if (isService(subject)) setWatch(subject, findRunningTask(subject, 'watch'));
  },
  '?': () => {
    isHelpOpen.value = true;
  },
};

function leave(target: Element | null): void {
  if (target instanceof HTMLElement && target.matches('input, select, textarea')) target.blur();
  else if (page.value.name !== 'services') navigate('/services');
  else {
    chosen.value = undefined;
    if (target instanceof HTMLElement) target.blur();
  }
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isHelpOpen.value) return;
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === 'Escape') return leave(target);
  if (!areKeysOn.value && event.key !== 'Enter') return;
  if (target?.matches('input, select, textarea, [contenteditable]')) return;
  if (event.key === 'Enter') {
    // A link or a button does what it says.
    if (target?.closest('a, button, summary')) return;
    if (page.value.name === 'services' && chosen.value !== undefined) navigate(toServicePath(chosen.value));
    return;
  }
  const handle = Object.hasOwn(handlers, event.key) ? handlers[event.key] : undefined;
  if (!handle) return;
  event.preventDefault();
  handle();
});
