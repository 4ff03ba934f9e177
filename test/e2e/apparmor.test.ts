/**
 * Profiles of `trace apparmor` and the parser of AppArmor: it takes each of them, and the automaton that it makes gives each path of the trace
 * the rights that it needs, and others none.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { apparmorProfile } from '../../src/trace/apparmor.ts';
import { noRights } from '../../src/trace/rights.ts';
import { type Trace, type Uses, uses } from '../../src/trace/trace.ts';
import type { ByteString } from '../../src/bytes/bytes.ts';
import { rightsBy } from '../support/apparmor/compiled-policy.ts';
import { rightsIn, rulesIn } from '../support/apparmor/glob.ts';
import { b } from '../support/bytes.ts';
import { runs } from '../support/extent.ts';
import { ocislim } from '../support/e2e/cli.ts';
import { removeFolder, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { readTrace } from '../trace/read-trace.ts';

let work: string;
beforeAll(() => {
  work = workFolder('apparmor');
});
afterAll(() => removeFolder(work));

const base = '#include <abstractions/base>';
/** What a kernel with all that the parser knows can enforce: this machine may have no AppArmor. */
const features = '/etc/apparmor.d/abi/3.0';

/** Lets the parser check a profile and returns what it makes of it, with the automaton for files. */
async function compiled(profile: string): Promise<(path: ByteString) => string> {
  const [file, policy] = [join(work, 'profile'), join(work, 'policy')];
  writeFileSync(file, profile);
  const ended = await runToEnd('apparmor_parser', ['-Q', '-K', '-M', features, '-o', policy, file]);
  expect(ended.status, ended.stderr).toBe(0);
  return rightsBy(readFileSync(policy));
}

function traceOf(paths: Iterable<readonly [string, Uses]>): Trace {
  const entries = [...paths].map(([path, bits]) => [b(path), bits] as const);
  return { ...readTrace(''), paths: new Map(entries), rights: { ...noRights, isComplete: true } };
}

/** A name of any bytes, often of those that mean something in patterns. */
const name = fc
  .array(
    fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(...Buffer.from('\\"*?[]{}^,@$ #!a-z0\n'))),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((bytes) =>
    bytes
      .filter((byte) => byte !== 0x2f)
      .map((byte) => String.fromCharCode(byte))
      .join(''),
  )
  .filter((each) => !['', '.', '..'].includes(each));

describe('names of any bytes', () => {
  it('each is taken literally: the parser allows it, and no other name', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 4, maxLength: 40 }), async (names) => {
        const [named, others] = [names.slice(0, names.length / 2), names.slice(names.length / 2)];
        const trace = traceOf(named.map((each) => [`srv/${each}`, uses.open]));
        const rightsAt = await compiled(apparmorProfile(trace, { name: 'any' }).text);
        for (const each of named) expect(rightsAt(b(`/srv/${each}`)), JSON.stringify(each)).toContain('r');
        for (const each of others) expect(rightsAt(b(`/srv/${each}`)), JSON.stringify(each)).toBe('');
      }),
      { numRuns: runs(12, 100) },
    );
  });

  it('every byte is taken literally', async () => {
    const bytes = Array.from({ length: 255 }, (_, i) => i + 1).filter(
      (byte) => byte !== 0x2f && byte !== 0x2e,
    );
    // In four directories, since one with many files would get one rule for all.
    const pathOf = (byte: number): string => `srv/${byte % 4}/${String.fromCharCode(byte)}`;
    const named = bytes.filter((byte) => byte % 3 === 0);
    const trace = traceOf(named.map((byte) => [pathOf(byte), uses.exec]));
    const rightsAt = await compiled(apparmorProfile(trace, { name: 'any' }).text.replace(base, ''));
    for (const byte of bytes)
      expect(rightsAt(b(`/${pathOf(byte)}`)), String(byte)).toBe(byte % 3 === 0 ? 'mrx' : '');
  });
});

it('the judge of the unit tests agrees with the parser', async () => {
  const any = fc.constantFrom(
    'usr',
    'bin',
    'tmp',
    'tmpab12cd',
    'proc',
    'self',
    '12',
    'task',
    'a b',
    'x{y}',
    'run',
    '..',
    'so.4711',
    '*',
  );
  const path = fc.array(any, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(path, fc.integer({ min: 1, max: 511 })), { minLength: 1, maxLength: 20 }),
      fc.array(path, { maxLength: 20 }),
      async (paths, others) => {
        const profile = apparmorProfile(traceOf(paths), { name: 'judged' }).text.replace(base, '');
        const [parsed, judged] = [await compiled(profile), rightsIn(rulesIn(profile))];
        for (const each of [...paths.map(([named]) => named), ...others, 'proc/1/task/2/x', 'dev/pts/0'])
          for (const asked of [`/${each}`, `/${each}/`])
            expect(parsed(b(asked)), `${asked}\n${profile}`).toBe(judged(b(asked)));
      },
    ),
    { numRuns: runs(12, 100) },
  );
});

it('a trace of 40,000 paths makes a profile that the parser takes', async () => {
  const paths = Array.from({ length: 40_000 }, (_, i): [string, Uses] => [
    `srv/d${i % 5000}/e${i % 7}/f${i}`,
    i % 3 === 0 ? uses.write : uses.open,
  ]);
  const rightsAt = await compiled(apparmorProfile(traceOf(paths), { name: 'large' }).text);
  for (const [path, bits] of paths.filter((_, i) => i % 97 === 0))
    expect(rightsAt(b(`/${path}`))).toContain(bits === uses.write ? 'w' : 'r');
});

describe('the image nginx', () => {
  it('recorded under probes, it gets a profile that allows all that it did', async () => {
    const image = `oci:${inject('images')}/nginx:v1`;
    const [trace, profile] = [join(work, 'nginx.trace'), join(work, 'nginx.apparmor')];
    // The image says that its program only checks the settings, as an ordinary user.
    const server = ['--', '-g', 'daemon off;'];
    const asRoot = ['--run-user', '0', '--run-entrypoint', 'nginx', '--http-probe', '/', ...server];
    const recorded = await ocislim(['trace', 'record', '--image', image, '-o', trace, ...asRoot]);
    expect(recorded.status, recorded.stderr).toBe(0);
    const made = await ocislim(['trace', 'apparmor', trace, '--image', image, '-o', profile]);
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toMatch(
      /^profile nginx: \d+ rules for files, \d+ kinds of sockets, \d+ capabilities, from /m,
    );
    const text = readFileSync(profile, 'utf8');
    for (const line of [
      'network inet stream,',
      'capability setuid,',
      'capability setgid,',
      'capability net_bind_service,',
    ])
      expect(text).toContain(line);
    const rightsAt = await compiled(text);
    expect(rightsAt(b('/usr/sbin/nginx'))).toBe('mrx');
    expect(rightsAt(b('/etc/nginx/nginx.conf'))).toContain('r');
    expect(rightsAt(b('/etc/shadow'))).toBe('');
    expect(rightsAt(b('/usr/bin/apt-get'))).not.toContain('x');
    const { paths } = readTrace(readFileSync(trace));
    let opened = 0;
    for (const [path, bits] of paths) {
      if ((bits & uses.open) === 0 || /^(?:proc|dev)\/|\.\./.test(path)) continue;
      const given = [`/${path}`, `/${path}/`].map((each) => rightsAt(b(each)));
      expect(given.join(''), path).toContain('r');
      opened++;
    }
    expect(opened).toBeGreaterThan(20);
  });

  it('gets one from slim --record, too', async () => {
    const image = `oci:${inject('images')}/nginx:v1`;
    const profile = join(work, 'slim-nginx.apparmor');
    const run = ['--run-user', '0', '--run-entrypoint', 'nginx', "--run-command=-g 'daemon off;'"];
    const made = await ocislim([
      'slim',
      image,
      '--record',
      ...run,
      '--http-probe',
      '/',
      '--run-for',
      '0',
      '--apparmor',
      profile,
      '--dry-run',
      // Its own entrypoint does not run, which slim takes for an incomplete recording.
      '--force',
    ]);
    expect(made.status, made.stderr).toBe(0);
    const text = readFileSync(profile, 'utf8');
    expect(text).toContain('profile slim-nginx flags=');
    const rightsAt = await compiled(text);
    expect(rightsAt(b('/usr/sbin/nginx'))).toBe('mrx');
    expect(rightsAt(b('/etc/shadow'))).toBe('');
  });
});
