/**
 * The workloads of Node and Java: scripts, a server of pictures in the folders of pnpm, a site of Next.js, and a fat jar of Spring Boot. `all.ts` lists them.
 */
import {
  answering,
  askByBash,
  beside,
  entrypoint,
  type Request,
  serving,
  type Step,
  type Workload,
} from './step.ts';

const nodeServer = `const express = require('/app/node_modules/express');
const app = express();
app.get('/hello', (request, response) => response.json({ hello: request.query.name ?? 'world' }));
app.get('/page', (request, response) => response.sendFile('/app/package.json'));
app.post('/sum', express.json(), (request, response) => response.json(request.body));
app.listen('/tmp/http.sock');
process.on('SIGTERM', () => process.exit(0));
`;
const node = (...requests: readonly Request[]): Step => serving(['node', '/tmp/server.js'], ...requests);

/** A script of Node that does the same, and prints the type of each answer too. */
const askByNode = `const [port, ...paths] = process.argv.slice(2);
const ask = async (path) => {
  for (;;) {
    const response = await fetch('http://127.0.0.1:' + port + path).catch(() => null);
    if (response !== null) return 'GET ' + path + ': ' + response.status + ' ' + response.headers.get('content-type') + ' ' + (await response.text());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
for (const path of paths) console.log(await ask(path));
`;
const next = (...paths: readonly string[]): string => beside(`node /tmp/ask.mjs 3000 ${paths.join(' ')}`);
const spring = (...paths: readonly string[]): string => beside(`bash /tmp/ask.sh 8080 ${paths.join(' ')}`);

export const runtimes: readonly Workload[] = [
  {
    image: 'node',
    files: {
      'server.js': nodeServer,
      'other.js': `const fp = require('/app/node_modules/lodash/fp');
console.log(fp.flow(fp.map((n) => n * 2), fp.sum)([1, 2, 3]), require('zlib').gunzipSync(require('zlib').gzipSync('x')).toString());
console.log(new Intl.DateTimeFormat('de', { dateStyle: 'long', timeZone: 'UTC' }).format(0));
`,
    },
    main: [entrypoint, node({ path: '/hello?name=you' })],
    other: [node({ path: '/missing' }, { path: '/page' }), { argv: ['node', '/tmp/other.js'] }],
  },
  {
    image: 'java',
    files: {},
    main: [entrypoint],
    other: [{ argv: ['java', '-jar', '/app/app.jar', 'other'] }],
  },
  {
    image: 'sharp',
    files: {},
    main: [answering('/thumbnail')],
    other: [answering('/webp', '/jpeg', '/svg', '/page', '/missing')],
  },
  {
    image: 'next',
    files: {
      'ask.mjs': askByNode,
      'work.sh': next('/', '/api/hello'),
      'other.sh': next('/about', '/api/when', '/missing'),
    },
    main: [{ argv: ['sh', '/tmp/work.sh'] }],
    other: [{ argv: ['sh', '/tmp/other.sh'] }],
  },
  {
    image: 'spring',
    files: {
      'ask.sh': askByBash,
      'work.sh': spring('/hello'),
      'other.sh': spring('/page', '/when', '/digest'),
    },
    main: [{ argv: ['sh', '/tmp/work.sh'] }],
    other: [{ argv: ['sh', '/tmp/other.sh'] }],
  },
];
