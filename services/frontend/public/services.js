/**
 * The services as the page asks them: `description` and `ready` relative to where the API is.
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
  // The frontend is what / answers with, so it has no prefix and describes itself elsewhere.
  { name: 'frontend', address: '/', description: '/service.json', ready: '/health/ready' },
];
