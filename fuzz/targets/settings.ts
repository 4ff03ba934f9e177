/** The target of what users write: plans and auth files. They are accepted, or refused with a code. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPlan } from '../../src/settings/plan-file.ts';
import { createCredentialLookup } from '../../src/registry/auth/credentials.ts';
import { pemCertificates } from '../../src/registry/tls/authorities.ts';
import { proxyFor } from '../../src/registry/http/proxy.ts';
import { jsonMutators } from '../json-mutators.ts';
import { flood } from '../mutate.ts';
import { newFolder } from '../scratch.ts';
import { holds, outcomeNow, outcomeOf, type Target } from '../target.ts';
import { defaultLimits } from '../../src/limits.ts';
import { KiB } from '../../src/units.ts';

const { signal } = new AbortController();
const secret = Buffer.from('user:word').toString('base64');

let folder: string | null = null;

/** Reads the text as a plan. A plan with traces is left out, because it would read the files that it names. */
async function readAsPlan(text: string): Promise<void> {
  if (/trace/i.test(text)) return;
  folder ??= newFolder();
  const file = join(folder, 'plan.yaml');
  writeFileSync(file, text);
  const outcome = await outcomeOf(() => readPlan(file, { limits: defaultLimits, signal }));
  if (outcome.kind === 'refused')
    holds(!outcome.message.includes('undefined'), 'a message about something undefined');
}

async function readAsCredentials(text: string): Promise<void> {
  // The folder does not exist, so no helper is found.
  const env = { DOCKER_AUTH_CONFIG: text, PATH: '/nonexistent' };
  const options = { creds: null, authfile: null, env, home: '/nonexistent' };
  for (const host of ['docker.io', 'registry.example:5000', '__proto__']) {
    const found = await outcomeOf(() => createCredentialLookup(options)(host, 'library/app', signal));
    if (found.kind === 'refused') holds(!found.message.includes(secret), 'a secret in a message');
  }
}

export const target: Target = {
  name: 'settings',
  invariant:
    'plans, files with credentials, certificates and proxies are understood or refused, and no secret is quoted',
  seeds: () =>
    [
      'version: 1\nsquash: { last: 2 }\nprune:\n  presets: [docs, cache]\n  rules: ["**/*.pyc", "!keep"]\n  keep: [bin]\n  shadowed: true\n',
      'version: 1\nrecompress:\n  - { compression: zstd, level: 19, minSavings: 5% }\n  - tune: small\n    layers: 1..\narrange: { order: similar, dedupeHardlink: true }\nemptyLayers: drop\n',
      'version: 1\nsquash: &a { all: true }\nrecompress: { compression: zstd }\n',
      '{"version":1,"prune":{"presets":["docs"]},"recompress":{"compression":"gzip","gzipEngine":"libdeflate","level":9,"budget":"10s"}}',
      `{"auths":{"registry.example:5000":{"auth":"${secret}"},"https://index.docker.io/v1/":{"identitytoken":"${secret}","auth":"${secret}"}},"credsStore":"","credHelpers":{"a":"b"}}`,
      `{"auths":{"docker.io/library":{"username":"a","password":"${secret}"},"docker.io":{"registrytoken":"${secret}"}}}`,
      '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
      'http://user:word@proxy.example:3128',
      '.example,*.internal,10.0.0.0/8,[::1]:80',
    ].map((text) => Buffer.from(text)),
  dictionary: [
    'version: 1\n',
    'prune:',
    'squash:',
    'recompress:',
    'arrange:',
    'presets',
    'rules:',
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '- ',
    ': ',
    '"auths":',
    '"auth":',
    '"credHelpers":',
    '__proto__',
    '---\n',
    '? ',
    '|\n',
    '{',
    '}',
    '[',
    ']',
    '\t',
    '\n  ',
    '-----BEGIN CERTIFICATE-----',
    '-----END',
  ],
  mutators: [...jsonMutators, flood],
  maxBytes: 64 * KiB,
  run: async (bytes) => {
    const text = Buffer.from(bytes).toString();
    await readAsPlan(text);
    await readAsCredentials(text);
    pemCertificates(text);
    for (const env of [{ https_proxy: text }, { https_proxy: 'http://proxy.example', no_proxy: text }])
      outcomeNow(() => proxyFor(new URL('https://registry.example/v2/'), env));
    holds(Object.keys(Object.prototype).length === 0, 'the prototype of all objects has got a member');
  },
};
