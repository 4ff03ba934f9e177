import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tar } from '../jobs/rig.ts';
import { runCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';

const image = buildImage({
  layers: [tar('a=1'), tar({ name: 'big', body: new Uint8Array(300_000).map((_, i) => (i * 7919) >> 3) })],
});
let folder = '';
let server: Server;
let port = 0;

/** A registry whose last layer stops half way and never goes on. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-interrupt-'));
  await mkdir(join(folder, 'tmp'));
  server = createServer((request, response) => {
    const path = request.url ?? '';
    const digest = path.split('/').at(-1) ?? '';
    const bytes = path.includes('/manifests/') ? image.manifest : image.blobs.get(digest);
    if (path === '/v2/') return void response.end('{}');
    if (bytes === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-length': bytes.length,
      'content-type': path.includes('/manifests/') ? image.descriptor.mediaType : 'application/octet-stream',
    });
    if (request.method === 'HEAD') return void response.end();
    if (digest !== image.layers[1]?.digest) return void response.end(bytes);
    response.write(bytes.subarray(0, bytes.length / 2));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s while a layer is read: nothing is published, nothing stays behind',
  async (signal, status) => {
    const old = buildImage({ layers: [tar('old=1')] });
    const target = join(folder, signal);
    await writeLayout(target, { app: old });
    const before = await readFile(join(target, 'index.json'), 'utf8');
    const result = await runCli(
      ['squash', `127.0.0.1:${port}/app:1`, `oci:${target}:app`, '--all', '--progress', 'plain'],
      {
        env: { TMPDIR: join(folder, 'tmp') },
        interrupt: { when: 'layer 2', signal },
      },
    );
    expect(result.stderr).toMatch(
      /ocislim: stopping; (?:Ctrl-C|SIGTERM) again ends it at once\nocislim: interrupted; nothing was published\n$/,
    );
    expect(result.stderr).not.toMatch(/undefined|\n {4}at /);
    expect(result.status).toBe(status);
    expect(result.stdout).toBe('');
    expect(await readFile(join(target, 'index.json'), 'utf8')).toBe(before);
    expect((await readdir(join(target, 'blobs', 'sha256'))).sort()).toEqual(
      [...old.blobs.keys()].map((digest) => digest.slice(7)).sort(),
    );
    expect((await readdir(target)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  },
);
