/**
 * `fleet plan` over a registry of 100,000 images that name a million layers: time, peak memory, requests. The registry is a thread of this process that makes
 * its answers from the names; `node bench/fleet.ts [REPOSITORIES [TAGS]]` prints a line. Needs `npm run build`.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const layersOfImage = 10;
/** Bytes of digits that repeat for images which share a base: 5 of 10 layers are of one of 100 bases. */
const bases = 100;

interface Size {
  readonly repositories: number;
  readonly tags: number;
}

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

const config = JSON.stringify({
  os: 'linux',
  architecture: 'amd64',
  created: '2026-01-01T00:00:00Z',
  config: {},
  rootfs: {
    type: 'layers',
    diff_ids: Array.from({ length: layersOfImage }, (_, i) => digestOf(`diff ${i}`)),
  },
  history: [],
});

function manifestOf(repository: number, tag: number): string {
  const layer = (i: number) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(i < 5 ? `base ${repository % bases} ${i}` : `${repository} ${i < 8 ? 0 : tag} ${i}`),
    size: 1_000_000 + i,
  });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers: Array.from({ length: layersOfImage }, (_, i) => layer(i)),
  });
}

/** Answers a request of the registry. A manifest by digest is that of the tag asked for before, in the same repository. */
function serve({ repositories, tags }: Size): void {
  const known = new Map<string, readonly [number, number]>();
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const url = new URL(request.url ?? '', 'http://bench');
    const parts = /^\/v2\/(?:team\/r(\d+)\/)?(_catalog|tags\/list|manifests\/.+|blobs\/.+)$/.exec(
      url.pathname,
    );
    const [, number = '0', what = ''] = parts ?? [];
    const send = (body: string, headers: Record<string, string> = {}): void => {
      response.writeHead(200, {
        'content-length': body.length,
        'content-type': 'application/json',
        ...headers,
      });
      response.end(request.method === 'HEAD' ? '' : body);
    };
    if (what === '_catalog') {
      const from = Number(url.searchParams.get('last') ?? 0);
      const to = Math.min(repositories, from + 1000);
      const link = `</v2/_catalog?n=1000&last=${to}>; rel="next"`;
      const names = Array.from({ length: to - from }, (_, i) => `team/r${from + i}`);
      send(JSON.stringify({ repositories: names }), to < repositories ? { link } : {});
    } else if (what === 'tags/list')
      send(JSON.stringify({ tags: Array.from({ length: tags }, (_, i) => `v${i}`) }));
    else if (what.startsWith('manifests/')) {
      const name = what.slice('manifests/'.length);
      const [repository, tag] = known.get(name) ?? [Number(number), Number(name.slice(1))];
      const body = manifestOf(repository, tag);
      const digest = digestOf(body);
      if (request.method === 'HEAD') known.set(digest, [repository, tag]);
      else known.delete(digest);
      send(body, {
        'content-type': 'application/vnd.oci.image.manifest.v1+json',
        'docker-content-digest': digest,
      });
    } else if (what.startsWith('blobs/')) send(config);
    else {
      response.writeHead(url.pathname === '/v2/' ? 200 : 404);
      response.end();
    }
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as { port: number }).port));
  parentPort?.on('message', () => parentPort?.postMessage(requests));
}

async function main(): Promise<void> {
  const [repositories = 10_000, tags = 10] = process.argv.slice(2).map(Number);
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { repositories, tags } });
  const next = () => new Promise<number>((resolve) => worker.once('message', resolve));
  const port = await next();
  const cli = fileURLToPath(new URL('../bin/ocislim', import.meta.url));
  const start = performance.now();
  const args = [
    '-f',
    '%M KB %U+%S s',
    process.execPath,
    cli,
    'fleet',
    'plan',
    `127.0.0.1:${port}/team/`,
    '-o',
    '/dev/null',
  ];
  const child = spawn('/usr/bin/time', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  await new Promise((resolve) => child.on('close', resolve));
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  worker.postMessage('count');
  process.stdout.write(`${seconds} s, ${await next()} requests, ${availableParallelism()} processors\n`);
  await worker.terminate();
}

if (isMainThread) await main();
else serve(workerData as Size);
