import { ask } from './ask.js';
import { createCard } from './card.js';
import { services } from './services.js';

/** Milliseconds between two questions to one service. */
const every = 2_000;

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
      const answer = await ask(service);
      card.show(answer);
      segment.dataset.state = answer.state;
      states.set(service.name, answer.state);
      summarize();
    }
    setTimeout(() => update().catch(reportError), every);
  };
  update().catch(reportError);
}

find('pause').addEventListener('click', ({ currentTarget }) => {
  paused = !paused;
  currentTarget.setAttribute('aria-pressed', String(paused));
  currentTarget.textContent = paused ? 'Go on updating' : 'Pause updates';
});

function summarize() {
  const all = [...states.values()];
  if (all.includes('unknown')) return;
  const ready = all.filter((state) => state === 'ready').length;
  const text =
    ready === all.length ? `All ${ready} services are ready` : `${ready} of ${all.length} services are ready`;
  const silent = [...states].filter(([, state]) => state === 'silent').map(([name]) => name);
  const summary = silent.length === 0 ? text : `${text}; no answer from ${silent.join(', ')}`;
  // Said aloud by a screen reader, so only when it is news.
  if (find('summary').textContent !== summary) find('summary').textContent = summary;
  find('asked').textContent = `as of ${new Date().toLocaleTimeString()}`;
  document.title = ready === all.length ? 'weAlist, local' : `${ready}/${all.length} weAlist, local`;
}
