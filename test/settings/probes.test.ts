import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/limits.ts';
import { readApis, readProbeFiles } from '../../src/settings/probe-file.ts';
import { probing } from '../../src/settings/tables/probing.ts';
import { running } from '../../src/settings/tables/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'ocislim-probes-'));
afterAll(() => rmSync(folder, { recursive: true }));
const reading = { limits: defaultLimits, signal: new AbortController().signal };
const door = { ...reading, listOf: () => [] };

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('a file of probes', () => {
  it('is a list of requests; a body that is not a text is JSON', async () => {
    const file = write(
      'probes.yaml',
      `- path: /\n- method: post\n  path: https://:8443/login\n  headers: { X-A: b }\n  body: { user: me }\n  status: 303\n  retries: 0\n- path: /t\n  method: PUT\n  body: text\n`,
    );
    expect(await readProbeFiles([file], '', reading)).toMatchObject([
      { origin: 'file', method: 'GET', path: '/', body: null, status: null, retries: 3 },
      {
        method: 'POST',
        scheme: 'https',
        port: 8443,
        headers: { 'X-A': 'b', 'content-type': 'application/json' },
        body: '{"user":"me"}',
        status: 303,
        retries: 0,
      },
      { method: 'PUT', headers: {}, body: 'text' },
    ]);
  });

  it.each([
    ['{}', 'expected array'],
    ['- path: /\n  paths: /', 'Unrecognized key'],
    ['- path: /\n  status: 20', ', 0.status'],
    ['- path: /\n  headers: { "a b": c }', ', 0.headers'],
    ['- path: "no path"', 'request 1'],
    ['- path: /\n  headers: { a: "b\\r\\nc: d" }', ', 0.headers'],
    ['- [', 'is not YAML'],
  ])('%j is refused, with the place of the mistake', async (text, message) => {
    const refused = readProbeFiles([write('wrong.yaml', text)], '', reading);
    await expect(refused).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(message) as string,
    });
  });
});

it('an API is described by a file, or at a path of the program', async () => {
  const file = write('api.yaml', 'openapi: 3.1.0\npaths: { /a: { get: {} } }\n');
  expect(await readApis([file, '/openapi.json'], '--openapi', reading)).toEqual([
    { kind: 'document', document: { openapi: '3.1.0', paths: { '/a': { get: {} } } } },
    { kind: 'path', path: '/openapi.json' },
  ]);
  await expect(readApis([write('x.json', '{}')], '--openapi', reading)).rejects.toThrow('has no paths');
});

it.each([
  ['redis-cli ping', ['redis-cli', 'ping']],
  [`psql -c 'select 1'`, ['psql', '-c', 'select 1']],
  ['echo $HOME | cat', ['/bin/sh', '-c', 'echo $HOME | cat']],
  ['["a", "b c"]', ['a', 'b c']],
])('the command %j runs as %j', async (text, command) => {
  expect(await probing.execProbe.read([text], '--exec-probe', door)).toMatchObject([
    { kind: 'exec', command },
  ]);
});

it.each([
  ['80', { host: '127.0.0.1', from: 80, to: 80 }],
  ['8080:80', { host: '127.0.0.1', from: 8080, to: 80 }],
  ['0:80/tcp', { host: '127.0.0.1', from: 0, to: 80 }],
  ['0.0.0.0:8080:80', { host: '0.0.0.0', from: 8080, to: 80 }],
  ['[::1]:8080:80', { host: '::1', from: 8080, to: 80 }],
])('%j publishes a port', async (text, expected) => {
  expect(await running.runPublish.read([text], '--run-publish', door)).toEqual([expected]);
});

it.each(['', 'x', '80:0', '70000', '1:2:3', '80/udp'])('%j publishes nothing', (text) => {
  expect(() => running.runPublish.read([text], '--run-publish', door)).toThrow('--run-publish takes');
});
