/**
 * `trace record` with probes, over a real web server: as root, and as an ordinary user in a namespace of one user. Needs strace, bubblewrap
 * and nsenter.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bin, ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';

interface Printed {
  readonly run: { readonly status: number; readonly stopped: string | null };
  readonly probes: readonly {
    readonly name: string;
    readonly status: number | null;
    readonly digest: string | null;
    readonly ok: boolean;
    readonly error: string | null;
  }[];
}

let work: string;
let root: string;
const image = () => `oci:${inject('images')}/nginx:v1`;
const settings =
  'pid /run/probes.pid; events {} http { access_log off; server { listen 8080; root /usr/share/nginx/probes; } }\n';

beforeAll(async () => {
  work = workFolder('probes');
  // Recordings by an ordinary user reach into it.
  chmodSync(work, 0o755);
  root = join(work, 'root');
  mkdirSync(root);
  const tar = join(work, 'root.tar');
  await ocislim(['export', image(), tar]);
  await run('tar', ['-xpf', tar, '--numeric-owner', '-C', root]);
  mkdirSync(join(root, 'usr/share/nginx/probes'), { recursive: true });
  writeFileSync(join(root, 'usr/share/nginx/probes/index.html'), '<a href="next.html">next</a>\n');
  writeFileSync(join(root, 'usr/share/nginx/probes/next.html'), 'the end\n');
  writeFileSync(join(root, 'etc/probes.conf'), settings);
});
afterAll(() => removeFolder(work));

const server = ['nginx', '-g', 'daemon off;', '-c', '/etc/probes.conf'];
const asked = [
  '--http-probe=:8080/',
  '--http-probe=:8080/none =>404',
  '--http-probe=tcp://:8080',
  '--http-crawl',
  '--exec-probe=id -u; cat /etc/debian_version',
  '--run-for=0',
  '--format=json',
];

function usesIn(trace: string): ReadonlyMap<string, readonly string[]> {
  const lines = readFileSync(trace, 'utf8').trimEnd().split('\n').slice(1);
  const parsed = lines.map((line) => JSON.parse(line) as { path?: string; uses?: string[] });
  return new Map(parsed.map(({ path = '', uses = [] }) => [path, uses]));
}

/** The probes that everything got what was expected. */
function expectAnswers(stdout: string): void {
  const { probes, run: end } = JSON.parse(stdout) as Printed;
  expect(probes.map(({ name, status, ok }) => [name, status, ok])).toEqual([
    ['GET http://:8080/', 200, true],
    ['GET http://:8080/none', 404, true],
    ['tcp://:8080', null, true],
    ['GET http://:8080/next.html', 200, true],
    ['/bin/sh -c id -u; cat /etc/debian_version', 0, true],
  ]);
  expect(end).toMatchObject({ status: 0, stopped: 'for' });
}

describe('a web server', () => {
  it('is waited for, probed in its private network, traced with what ran beside it, and ended', async () => {
    const trace = join(work, 'root.trace');
    const args = ['trace', 'record', '-o', trace, '--root', root, ...asked, '--', ...server];
    const { status, stdout, stderr } = await ocislim(args);
    expect(status, stderr).toBe(0);
    expectAnswers(stdout);
    const uses = usesIn(trace);
    expect(uses.get('usr/share/nginx/probes/next.html')).toContain('open');
    // What the command beside it used, and nothing of how it came there.
    expect(uses.get('etc/debian_version')).toEqual(['open']);
    expect([...uses.keys()].filter((path) => /ocislim|setpriv|nsenter/.test(path))).toEqual([]);
  });

  it('is probed by an ordinary user, too', async () => {
    const user = '65534';
    const own = join(work, 'own');
    await run('cp', ['-a', root, own]);
    await run('chown', ['-R', `${user}:${user}`, own]);
    const home = join(work, 'home');
    mkdirSync(home);
    chmodSync(home, 0o777);
    const record = [
      'trace',
      'record',
      '-o',
      join(home, 'app.trace'),
      '--root',
      own,
      '--run-user',
      '1000:1000',
      ...asked,
    ];
    const words = ['--reuid', user, '--regid', user, '--clear-groups', '--', process.execPath, bin];
    const { status, stdout, stderr } = await runToEnd('setpriv', [...words, ...record, '--', ...server], {
      env: { HOME: home, TMPDIR: home },
    });
    expect(status, stderr).toBe(0);
    expectAnswers(stdout);
  });

  it('that does not answer as expected ends the recording with 3, and the trace is written', async () => {
    const trace = join(work, 'failed.trace');
    const probe = ['--http-probe', ':8080/none =>200', '--run-for', '0'];
    const { status, stderr } = await ocislim([
      'trace',
      'record',
      '-o',
      trace,
      '--root',
      root,
      ...probe,
      '--',
      ...server,
    ]);
    expect(status, stderr).toBe(3);
    expect(stderr).toContain('failed GET http://:8080/none: it answers with 404, not 200');
    expect(usesIn(trace).size).toBeGreaterThan(10);
  });

  it('has nothing of the environment of ocislim', async () => {
    const probe = ['--exec-probe', 'cat /proc/1/environ /proc/self/environ', '--run-for', '0'];
    const args = [
      'trace',
      'record',
      '-o',
      join(work, 'env.trace'),
      '--root',
      root,
      ...probe,
      '--',
      'sh',
      '-c',
    ];
    const script = 'cat /proc/1/environ /proc/self/environ | tr "\\0" "\\n"; exec sleep 1000';
    const { stdout } = await ocislim([...args, script], { OCISLIM_CANARY: 'secret' });
    expect(stdout).toContain('PATH=');
    expect(stdout).not.toContain('CANARY');
  });
});
