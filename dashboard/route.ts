import { computed, signal } from '@preact/signals';

/** The page's own address: a path, and what is chosen in it. */
export const place = signal(readPlace());

function readPlace(): { readonly path: string; readonly query: URLSearchParams } {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export const pageNames = ['services', 'why', 'logs', 'needs', 'runs', 'forwards', 'doctor', 'plan'] as const;
export type PageName = (typeof pageNames)[number];

/** The page that is shown, and the service that it is about. */
export const page = computed<{ readonly name: PageName | 'service'; readonly service?: string }>(() => {
  const [first = '', second] = place.value.path.split('/').filter((each) => each !== '');
  if (first === 'service' && second !== undefined)
    return { name: 'service', service: decodeURIComponent(second) };
  return { name: pageNames.find((name) => name === first) ?? 'services' };
});

/** Goes to another page; the browser's Back returns. */
export function navigate(to: string): void {
  if (to === location.pathname + location.search) return;
  history.pushState(null, '', to);
  place.value = readPlace();
  scrollTo(0, 0);
}

/** Changes what is chosen in this page, so that its link has it. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, '', `${location.pathname}${text === '' ? '' : `?${text}`}`);
  place.value = readPlace();
}

addEventListener('popstate', () => {
  place.value = readPlace();
});

/** A click on a link of this page loads nothing, unless it is to open another tab. */
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[data-page]') : null;
  if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented) return;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
});

export const toServicePath = (name: string) => `/service/${encodeURIComponent(name)}`;
export const toLogsPath = (name: string) => `/logs?services=${encodeURIComponent(name)}`;
export const toWhyPath = (name: string) => `/why?about=${encodeURIComponent(name)}`;
