import { createCard } from './card.js';
import { getServiceStatus } from './service-status.js';
import { services } from './services.js';

/** Milliseconds between two requests to one service. */
const interval = 2_000;

const find = (/** @type {string} */ id) => document.getElementById(id);
/** @type {Map<string, string>} */
const states = new Map(services.map(({ name }) => [name, 'unknown']));
let paused = false;

for (const service of services) {
  const card = createCard(service, find('card'));
  find('services').append(card.element);
  const segment = document.createElement('span');
  find('meter').append(segment);

  const update = async () => {
    if (!paused && !document.hidden) {
      const status = await getServiceStatus(service);
      card.show(status);
      segment.dataset.state = status.state;
      states.set(service.name, status.state);
      summarize();
    }
    setTimeout(() => update().catch(reportError), interval);
  };
  update().catch(reportError);
}

find('pause').addEventListener('click', ({ currentTarget }) => {
  paused = !paused;
  currentTarget.setAttribute('aria-pressed', String(paused));
  currentTarget.textContent = paused ? 'Resume updates' : 'Pause updates';
});

function summarize() {
  const all = [...states.values()];
  if (all.includes('unknown')) return;
  const ready = all.filter((state) => state === 'ready').length;
  const text =
    ready === all.length ? `All ${ready} services are ready` : `${ready} of ${all.length} services are ready`;
  const unreachable = [...states].filter(([, state]) => state === 'unreachable').map(([name]) => name);
  const summary = unreachable.length === 0 ? text : `${text}; no response from ${unreachable.join(', ')}`;
  // A screen reader reads every update aloud, so update only on changes.
  if (find('summary').textContent !== summary) find('summary').textContent = summary;
  find('updated').textContent = `as of ${new Date().toLocaleTimeString()}`;
  document.title = ready === all.length ? 'weAlist, local' : `${ready}/${all.length} weAlist, local`;
}
