/**
 * The services of the page. `description` and `ready` are paths relative to the API's base URL.
 * @typedef {{ name: string, address: string, description: string, ready: string }} Service
 */

/** @type {(route: string) => Service} */
const behindIngress = (route) => ({
  name: `${route}-service`,
  address: `/svc/${route}/`,
  description: `/svc/${route}/`,
  ready: `/svc/${route}/health/ready`,
});

/** @type {readonly Service[]} */
export const services = [
  ...['auth', 'user', 'board', 'chat', 'noti', 'storage', 'video'].map(behindIngress),
  // The frontend serves / itself, so it has no prefix and another path for its description.
  { name: 'frontend', address: '/', description: '/service.json', ready: '/health/ready' },
];
