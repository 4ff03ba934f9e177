/**
 * Runs the action of GitHub and the pipeline of Jenkins, with stand-ins for the services: their shell steps run here, on a real registry.
 * What the services themselves do with the files is not tested.
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAction } from '../support/ci/github-runner.ts';
import { pushSample } from '../support/ci/sample-image.ts';
import { bin } from '../support/e2e/cli.ts';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
const path = [dirname(bin), dirname(process.execPath), process.env['PATH']].join(delimiter);
const user = { name: 'someone', password: 'pass:word' };
let work: string;
let registry: DockerRegistry;
let page: Server;
let releases: string;
let source: string;
let sourceDigest: string;

beforeAll(async () => {
  work = workFolder('ci');
  registry = await DockerRegistry.start({ users: { [user.name]: user.password } });
  mkdirSync(join(work, 'home/.docker'), { recursive: true });
  const auth = Buffer.from(`${user.name}:${user.password}`).toString('base64');
  const credentials = { auths: { [registry.host]: { auth } } };
  writeFileSync(join(work, 'home/.docker/config.json'), JSON.stringify(credentials));
  source = `${registry.host}/app:1`;
  sourceDigest = await pushSample(source, work, { HOME: join(work, 'home') });
  page = await servePage(join(work, 'page'));
  releases = `http://127.0.0.1:${(page.address() as AddressInfo).port}/releases/download`;
});
afterAll(async () => {
  page?.close();
  await registry?.stop();
  removeFolder(work);
});

/** Makes a release page of one release, whose executable for each platform stands for `ocislim` of this checkout. */
async function servePage(folder: string): Promise<Server> {
  const files = join(folder, `releases/download/v${version}`);
  for (const platform of ['linux-x64', 'linux-arm64']) {
    const name = `ocislim-${version}-${platform}`;
    const program = join(folder, name, 'bin/ocislim');
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
    chmodSync(program, 0o755);
    mkdirSync(files, { recursive: true });
    await run('tar', ['-czf', join(files, `${name}.tar.gz`), '-C', folder, name]);
  }
  await run('sh', ['-euc', 'cd "$0" && sha256sum *.tar.gz >SHA256SUMS', files]);
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(folder, request.url ?? '')));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Runs the action in a job of its own. */
function act(inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(work, 'job-'));
  const job = { folder, env: { HOME: join(work, 'home'), NO_COLOR: '1', ...env } };
  return runAction(join(root, 'action.yml'), { source, releases, ...inputs }, job);
}

interface Raw {
  readonly layers: readonly { readonly size: number }[];
}

/** Reads an image of the registry by skopeo: its digest, its manifest, its config. */
async function inspect(reference: string) {
  const args = ['--tls-verify=false', '--creds', `${user.name}:${user.password}`, `docker://${reference}`];
  const told = JSON.parse(await run('skopeo', ['inspect', ...args])) as {
    readonly Digest: string;
    readonly Labels: Readonly<Record<string, string>>;
  };
  const manifest = JSON.parse(await run('skopeo', ['inspect', '--raw', ...args])) as Raw;
  return { ...told, bytes: manifest.layers.reduce((sum, { size }) => sum + size, 0) };
}

describe('the action', () => {
  it('downloads ocislim, slims an image, and tells the job what it did', async () => {
    const destination = `${registry.host}/app:slim`;
    const { status, outputs, summary, log } = await act({ destination, preset: 'docs' });
    expect(status, log).toBe(0);
    const made = await inspect(destination);
    const before = (await inspect(source)).bytes;
    expect(made.Digest).not.toBe(sourceDigest);
    expect(outputs).toEqual({
      digest: made.Digest,
      image: `${destination}@${made.Digest}`,
      before: String(before),
      after: String(made.bytes),
      report: expect.stringMatching(/\/report\.json$/),
    });
    expect(made.bytes).toBeLessThan(before);
    expect(summary).toMatch(new RegExp(`^# ocislim slim: ${source}\n`));
    expect(JSON.parse(readFileSync(outputs['report'] ?? '', 'utf8'))).toMatchObject({
      destination: { digest: made.Digest },
    });
  });

  it('takes several values, one a line, and runs none of them', async () => {
    const destination = `${registry.host}/app:values`;
    const label = `note=a b; $(touch ${work}/touched) "\`touch ${work}/touched\`"`;
    const { status, log, outputs } = await act({
      destination,
      command: 'prune',
      rule: 'app/cache/a\n\napp/it s\n',
      label: `${label}\nother=true`,
      options: '--empty-layers=drop\n--quiet',
      summary: 'false',
    });
    expect(status, log).toBe(0);
    expect((await inspect(destination)).Labels).toMatchObject({ note: label.slice(5), other: 'true' });
    const report = JSON.parse(readFileSync(outputs['report'] ?? '', 'utf8')) as {
      platforms: { slimming: { removed: { path: string }[] } }[];
    };
    const removed = report.platforms[0]?.slimming.removed.map(({ path }) => path);
    expect(removed?.toSorted()).toEqual(['app/cache/a', 'app/it s']);
    await expect(run('ls', [`${work}/touched`])).rejects.toThrow('No such file');
  });

  it('says what a dry run would save, and has no digest then', async () => {
    const { status, outputs, summary, log } = await act({ 'dry-run': 'true', preset: 'docs' });
    expect(status, log).toBe(0);
    expect(outputs).toMatchObject({ digest: '', image: '' });
    expect(Number(outputs['after'])).toBeLessThan(Number(outputs['before']));
    expect(summary).toContain('Dry run');
  });

  it('fails where a gate fails, and publishes nothing', async () => {
    const destination = `${registry.host}/app:gate`;
    const { status, outputs } = await act({ destination, 'require-savings': '99%' });
    expect({ status, digest: outputs['digest'] }).toEqual({ status: 3, digest: '' });
    await expect(inspect(destination)).rejects.toThrow('manifest unknown');
  });

  it('fails for an option that its command does not have', async () => {
    const { status, log } = await act({
      destination: `${registry.host}/app:no`,
      command: 'copy',
      preset: 'docs',
    });
    expect(status).toBe(2);
    expect(log).toContain('--preset');
  });

  it('runs nothing whose checksum is not that of the release', async () => {
    const changed = join(work, 'changed');
    cpSync(join(work, 'page'), changed, { recursive: true });
    for (const platform of ['x64', 'arm64'])
      writeFileSync(
        join(changed, `releases/download/v${version}/ocislim-${version}-linux-${platform}.tar.gz`),
        'x',
      );
    const { status, log, outputs } = await act({
      destination: `${registry.host}/app:no`,
      releases: `file://${changed}/releases/download`,
    });
    expect({ status, digest: outputs['digest'] }).toEqual({ status: 1, digest: '' });
    expect(log).toMatch(/checksum did NOT match/);
  });

  it('says on which machines it runs', async () => {
    const { status, log } = await act({ destination: 'x' }, { RUNNER_OS: 'Windows' });
    expect(status).toBe(1);
    expect(log).toContain('::error::ocislim is built for Linux');
  });
});

it('the pipeline of Jenkins slims an image with the credentials that it is given', async () => {
  const file = readFileSync(join(root, 'ci/jenkins/Jenkinsfile'), 'utf8');
  const [, script = ''] = /sh '''\n([^]*?)'''/.exec(file) ?? [];
  const parameters = [...file.matchAll(/string\(name: '(\w+)'/g)].map(([, name]) => name);
  expect(parameters).toEqual(['SOURCE', 'DESTINATION']);
  const destination = `${registry.host}/app:jenkins`;
  const folder = mkdtempSync(join(work, 'jenkins-'));
  const { status, stderr, stdout } = await runToEnd('sh', ['-exc', `cd ${folder}\n${script}`], {
    env: {
      PATH: path,
      HOME: '/nonexistent',
      SOURCE: source,
      DESTINATION: destination,
      REGISTRY_USER: user.name,
      REGISTRY_PASSWORD: user.password,
    },
  });
  expect(status, stderr).toBe(0);
  expect(stdout).toContain((await inspect(destination)).Digest);
  expect(readFileSync(join(folder, 'ocislim.md'), 'utf8')).toContain('# ocislim slim');
});
