/**
 * The target of registries that misbehave: the input decides the faults of a run. Whatever goes wrong, the
 * destination stays whole and the tag is set last.
 */
import { Readable } from 'node:stream';
import { refusal, refusedLogin } from '../../src/registry/failure.ts';
import { describeFault, readFault } from '../../src/registry/http/fault.ts';
import type { HttpAnswer } from '../../src/registry/http/transport.ts';
import { jsonMutators } from '../json-mutators.ts';
import { choiceOf, holds, type Target } from '../target.ts';
import { KiB } from '../../src/units.ts';

const secret = 's3cret-t0ken';
const statuses = [302, 400, 401, 403, 404, 405, 413, 416, 429, 500];
const types = ['application/json', 'text/plain', 'text/html', ''];
const parties = [
  { side: 'source', host: 'registry.example', repository: 'app' },
  { side: 'destination', host: 'registry.example', repository: 'app' },
] as const;

function answerOf(bytes: Uint8Array, choice: number): HttpAnswer {
  const body = Object.assign(Readable.from([bytes.subarray(0, choice % 100), bytes.subarray(choice % 100)]), {
    dump: async () => {},
  });
  return {
    status: statuses[choice % statuses.length] as number,
    headers: { 'content-type': types[choice % types.length] },
    url: new URL('https://registry.example/v2/'),
    body: body as unknown as HttpAnswer['body'],
    pause: null,
    secrets: new Set([secret]),
  };
}

export const target: Target = {
  name: 'faults',
  invariant:
    'whatever a registry says when it refuses is told in one short line that is safe to print, and without what it was told in confidence',
  seeds: () =>
    [
      '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"latest"}}]}',
      `{"errors":[{"code":"DENIED","message":"the token ${secret} is old"}]}`,
      `{"error":"invalid_grant","error_description":"who is \\u0073${secret.slice(1)}?"}`,
      '{"details":"incorrect username or password"}',
      `{"errors":[{"code":"BLOB_UNKNOWN","message":"sha256:${'a'.repeat(64)}"}]}`,
      'upstream timed out \x1b[2J\n::error::x',
      '<html>no</html>',
      'null',
    ].map((text) => Buffer.from(text)),
  dictionary: [
    secret,
    secret.slice(0, 6),
    '"message":',
    '"code":',
    '"errors":[',
    '\\u0073',
    '\x1b[2J',
    '\\u001b',
    '\\u202e',
    '\n::',
    '##[',
    '__proto__',
  ],
  mutators: jsonMutators,
  maxBytes: 64 * KiB,
  run: async (bytes) => {
    const choice = choiceOf(bytes);
    const answer = answerOf(bytes, choice);
    const fault = await readFault(answer);
    const party = parties[choice % parties.length] ?? parties[0];
    const told = [
      describeFault(fault),
      refusal(party, 'manifest latest', answer, fault).message,
      refusedLogin(party, 'manifest latest', fault).message,
    ];
    for (const text of told) {
      holds(!/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text), 'a control character is shown');
      holds(!text.includes(secret), 'a secret is shown');
      holds(text.length < 6000, 'a message of many pages');
    }
  },
};
