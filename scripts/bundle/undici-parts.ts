/** Bundles the part of undici that sends requests by HTTP/1.1: fetch, WebSocket, caches, forms and HTTP/2 are left out. */
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'rolldown';

/** undici's own entry loads all of it. This replacement has the names that the sources import, and the one method of pools that they call. */
const entry = () => {
  const part = (file: string) =>
    JSON.stringify(fileURLToPath(new URL(`lib/${file}`, import.meta.resolve('undici'))));
  return `
    import Dispatcher from ${part('dispatcher/dispatcher.js')};
    import request from ${part('api/api-request.js')};
    export { default as Pool } from ${part('dispatcher/pool.js')};
    export { default as buildConnector } from ${part('core/connect.js')};
    Dispatcher.prototype.request = request;`;
};

/** Modules that only forms and HTTP/2 need, which no request of ours has. A call would fail, and so be seen. */
const unused =
  /\/undici\/lib\/(?:web\/fetch\/(?:body|formdata)|web\/webidl\/index|dispatcher\/client-h2)\.js$/;

export const undiciParts: Plugin = {
  name: 'undici-parts',
  resolveId: (id) => (id === 'undici' ? '\0undici' : null),
  load(id) {
    if (id === '\0undici') return entry();
    if (!unused.test(id)) return null;
    return id.includes('/webidl/')
      ? 'module.exports = { webidl: { is: { FormData: () => false } } };'
      : 'module.exports = {};';
  },
};
