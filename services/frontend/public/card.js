/**
 * @typedef {import('./service-status.js').ServiceStatus} ServiceStatus
 * @typedef {import('./service-status.js').Dependency} Dependency
 * @typedef {import('./services.js').Service} Service
 */

const stateTexts = { ready: 'Ready', waiting: 'Not ready', unreachable: 'No response' };
const historyLength = 40;
/** Milliseconds for which a new source is highlighted. */
const freshFor = 60_000;

/**
 * Creates the card of a service. `show` updates only what has changed, which prevents flicker and preserves a selection.
 * @param {Service} service
 * @param {HTMLTemplateElement} template
 */
export function createCard(service, template) {
  const element = /** @type {HTMLElement} */ (template.content.cloneNode(true)).firstElementChild;
  const find = (/** @type {string} */ selector) => element.querySelector(selector);
  setText(find('.name'), service.name);
  setText(find('.state-text'), 'Checking…');
  element.dataset.state = 'unknown';
  const link = find('.address a');
  link.href = service.address;
  setText(link, service.address);
  showDependencies(find('.dependencies'), []);

  /** @type {number[]} */
  const latencies = [];
  /** @type {string | undefined} */
  let source;
  let changedAt = Number.NEGATIVE_INFINITY;

  /** @param {ServiceStatus} status */
  function show({ state, latency, problem, description }) {
    element.dataset.state = state;
    setText(find('.state-text'), stateTexts[state]);
    find('.problem').hidden = problem === undefined;
    setText(find('.problem'), problem ?? '');
    setText(find('.latency-value'), toMilliseconds(latency));
    if (latency !== undefined) latencies.push(latency);
    if (latencies.length > historyLength) latencies.shift();
    find('.history polyline').setAttribute('points', toPoints(latencies));

    // While the service is unreachable, its last values stay on the card, dimmed by the style sheet.
    if (state === 'unreachable') return;
    const { version, sourceHash, instance, uptimeSeconds, dependencies = [] } = description;
    setText(find('.version'), version ?? '–');
    setText(find('.source'), sourceHash?.slice(0, 12) ?? '–');
    find('.source').title = sourceHash ?? '';
    setText(find('.uptime'), uptimeSeconds === undefined ? '–' : toDuration(uptimeSeconds));
    find('.uptime').title = instance === undefined ? '' : `in ${instance}`;
    if (source !== undefined && sourceHash !== undefined && source !== sourceHash)
      changedAt = performance.now();
    source = sourceHash ?? source;
    const age = performance.now() - changedAt;
    find('.fresh').hidden = age > freshFor;
    setText(find('.fresh'), age > freshFor ? '' : `new since ${toDuration(Math.round(age / 1000))}`);
    showDependencies(find('.dependencies'), dependencies);
  }

  return { element, show };
}

/**
 * @param {HTMLElement} list
 * @param {Dependency[]} dependencies
 */
function showDependencies(list, dependencies) {
  list.parentElement.classList.toggle('no-dependencies', dependencies.length === 0);
  while (list.children.length > dependencies.length) list.lastElementChild.remove();
  while (list.children.length < dependencies.length) {
    const item = document.createElement('li');
    for (const name of ['dot', 'dependency-name', 'dependency-value', 'dependency-error']) {
      const part = document.createElement('span');
      part.className = name;
      item.append(part);
    }
    list.append(item);
  }
  dependencies.forEach(({ name, state, latency, error }, i) => {
    const item = /** @type {HTMLElement} */ (list.children[i]);
    item.dataset.state = state;
    setText(item.children[1], name);
    setText(item.children[2], state === 'up' ? toMilliseconds(latency) : state === 'down' ? 'down' : '…');
    setText(item.children[3], error ?? '');
  });
}

/**
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {number | undefined} latency */
function toMilliseconds(latency) {
  if (latency === undefined) return '–';
  return latency < 10 ? `${latency.toFixed(1)} ms` : `${Math.round(latency)} ms`;
}

/** @param {number} seconds */
function toDuration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/**
 * The points of a line through the last latencies: the newest at the right edge, the slowest at the top.
 * @param {number[]} latencies
 */
function toPoints(latencies) {
  const slowest = Math.max(...latencies, 1);
  const toX = (/** @type {number} */ i) => 120 - (latencies.length - 1 - i) * (120 / (historyLength - 1));
  return latencies
    .map((latency, i) => `${toX(i).toFixed(1)},${(22 - (latency / slowest) * 20).toFixed(1)}`)
    .join(' ');
}
