/**
 * Statements and signatures in the hands of others: OpenSSL makes keys and verifies what is signed, jq computes the digests of lists from a
 * report, and cosign, where everything is tested, finds and accepts all of it in two registries.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Equivalence } from '../../src/attest/equivalence.ts';
import { typeNames } from '../../src/attest/names.ts';
import type { Statement } from '../../src/attest/statement.ts';
import { serveRegistry } from '../../src/store/server/serve-registry.ts';
import { type Bundle, statementIn } from '../support/attest/attached.ts';
import { rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { isWhole, sample } from '../support/extent.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { blocksOf } from '../support/pages/markdown.ts';

let work: string;
let app: string;
beforeAll(async () => {
  work = workFolder('provenance');
  const layers = [
    ['docs/', 'docs/b=1', 'docs/a=2', 'docs/gr\xc3\xb6\xc3\x9fe=3', 'z=4'],
    ['docs/a=5', '.wh.z', 'y=6'],
  ].map((entries) => writeTar(entries.map(specOf)));
  await writeLayout(join(work, 'in'), { app: buildImage({ layers }) });
  app = `oci:${work}/in:app`;
});
afterAll(() => removeFolder(work));

/** Runs a line of shell in the folder of the test. */
const sh = (script: string) => run('sh', ['-c', `cd ${work}; ${script}`]);

/** Keys that OpenSSL makes, and the hash of their signatures; null for the algorithm's own. */
const kinds = [
  ['P-256', '-algorithm EC -pkeyopt ec_paramgen_curve:P-256', 'sha256'],
  ['P-384', '-algorithm EC -pkeyopt ec_paramgen_curve:P-384', 'sha256'],
  ['P-521', '-algorithm EC -pkeyopt ec_paramgen_curve:P-521', 'sha256'],
  ['rsa', '-algorithm RSA -pkeyopt rsa_keygen_bits:2048', 'sha256'],
  ['ed25519', '-algorithm ED25519', null],
] as const;

describe.each(sample(kinds, 3))('a key of OpenSSL, %s,', (kind, options, hash) => {
  it.each(['', ' -aes-256-cbc -pass pass:secret'])(
    'makes signatures that OpenSSL verifies%s',
    async (locked) => {
      const name = `${kind}${locked === '' ? '' : '-locked'}`;
      await sh(`openssl genpkey ${options}${locked} -out ${name}.key 2>/dev/null
      openssl pkey -in ${name}.key -passin pass:secret -pubout -out ${name}.pub`);
      const file = join(work, `${name}.jsonl`);
      const args = [
        'slim',
        app,
        `oci:${work}/out:${name}`,
        `--provenance=${file}`,
        '--sign-key',
        join(work, `${name}.key`),
      ];
      await rewrite(args, { COSIGN_PASSWORD: 'secret' });
      const [line = ''] = readFileSync(file, 'utf8').split('\n');
      const { dsseEnvelope } = JSON.parse(line) as Bundle;
      writeFileSync(join(work, 'payload'), dsseEnvelope.payload);
      writeFileSync(join(work, 'sig'), dsseEnvelope.signatures[0]?.sig ?? '');
      const verifying =
        hash === null
          ? `openssl pkeyutl -verify -pubin -inkey ${name}.pub -rawin -in pae -sigfile raw`
          : `openssl dgst -${hash} -verify ${name}.pub -signature raw pae`;
      // The pre-authentication encoding of DSSE, put together by the shell.
      const said = await sh(`base64 -d payload > plain; base64 -d sig > raw
      { printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(stat -c %s plain)"; cat plain; } > pae
      ${verifying}`);
      expect(said).toMatch(/Verified (?:OK|Successfully)/);
      const hint = await sh(
        `openssl pkey -pubin -in ${name}.pub -outform DER | openssl dgst -sha256 -binary | base64`,
      );
      expect((JSON.parse(line) as Bundle).verificationMaterial.publicKey.hint).toBe(hint.trim());
    },
  );
});

test('the example of docs/provenance.md computes the digest of the removed paths', async () => {
  const page = readFileSync(new URL('../../docs/provenance.md', import.meta.url), 'utf8');
  const [block] = blocksOf(page).filter(({ heldBy }) => heldBy === 'test/e2e/provenance.test.ts');
  const file = join(work, 'lists.jsonl');
  const args = [
    '--rule',
    'docs',
    '--shadowed',
    `--provenance=${file}`,
    '--report',
    join(work, 'report.json'),
  ];
  await rewrite(['prune', app, `oci:${work}/out:lists`, ...args]);
  const { removed } = statementIn(readFileSync(file, 'utf8').split('\n')[0] ?? '').predicate as Equivalence;
  expect(removed?.count).toBe(4);
  expect(await sh(block?.text ?? '')).toBe(`${removed?.digest['sha256']}  -\n`);
});

// A test that is skipped counts as failed, so these are not there where cosign is not.
describe.each(isWhole ? ['docker-registry', 'ocislim registry serve'] : [])('cosign, at %s,', (place) => {
  let registry: { readonly host: string; stop?: () => Promise<void> };
  beforeAll(async () => {
    if (place === 'docker-registry') registry = await DockerRegistry.start();
    else {
      const server = await serveRegistry({ layoutDir: null, signal: new AbortController().signal });
      registry = { host: server.host, stop: () => server.close() };
    }
    await sh('test -e cosign.key || COSIGN_PASSWORD=secret cosign generate-key-pair >/dev/null 2>&1');
    for (const [kind, options] of kinds)
      await sh(`openssl genpkey ${options} -out ${kind}.key 2>/dev/null
        openssl pkey -in ${kind}.key -pubout -out ${kind}.pub`);
  });
  afterAll(() => registry.stop?.());

  const env = { COSIGN_PASSWORD: 'secret' };
  const judge = (command: string, key: string, ...args: readonly string[]) => {
    const options = ['--key', join(work, `${key}.pub`), '--insecure-ignore-tlog', '--allow-http-registry'];
    return runToEnd('cosign', [command, ...options, ...args], { env: { ...env, HOME: work } });
  };

  it.each(['cosign', ...kinds.map(([kind]) => kind)])(
    'accepts what the key %s signs, and no other',
    async (name) => {
      const signing = ['--provenance', '--sign-key', join(work, `${name}.key`)];
      const at = `${registry.host}/app`;
      const made = await rewrite(['slim', app, `${at}:1`, '--label', `key=${name}`, ...signing], env);
      const verified = await judge('verify', name, `${at}@${made}`);
      expect(verified.status, verified.stderr).toBe(0);
      for (const type of ['slsaprovenance1', typeNames.equivalence]) {
        const attested = await judge('verify-attestation', name, '--type', type, `${at}@${made}`);
        expect(attested.status, attested.stderr).toBe(0);
        const { payload } = JSON.parse(attested.stdout) as { payload: string };
        const { subject } = JSON.parse(Buffer.from(payload, 'base64').toString()) as Statement;
        expect(subject.map(({ digest }) => digest)).toEqual([{ sha256: made.slice('sha256:'.length) }]);
      }
      const other = await judge('verify', name === 'P-256' ? 'cosign' : 'P-256', `${at}@${made}`);
      expect(other.status).not.toBe(0);
    },
  );

  it('accepts a signature of ours beside one of its own, and refuses an image without any', async () => {
    const at = `${registry.host}/both`;
    const made = await rewrite(['slim', app, `${at}:1`, '--label', 'a=b']);
    expect((await judge('verify', 'cosign', `${at}@${made}`)).status).not.toBe(0);
    const importing =
      'COSIGN_PASSWORD=secret cosign import-key-pair --key P-256.key --output-key-prefix imported';
    await sh(`test -e imported.key || ${importing} 2>/dev/null`);
    const sign = ['--use-signing-config=false', '--tlog-upload=false', '-y', '--allow-http-registry'];
    await run('cosign', ['sign', '--key', join(work, 'imported.key'), ...sign, `${at}@${made}`], {
      env: { ...env, HOME: work },
    });
    await rewrite(['copy', `${at}@${made}`, `${at}:2`, '--sign-key', join(work, 'cosign.key')], env);
    for (const key of ['imported', 'cosign']) {
      const { status, stderr } = await judge('verify', key, `${at}:2`);
      expect(status, stderr).toBe(0);
    }
  });
});
