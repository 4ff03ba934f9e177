/**
 * Builds ocislim's own image and uses it as others do: it goes to a registry, skopeo and umoci unpack it, and it slims another image as a
 * user without rights. The files for GitLab, Tekton and Kubernetes run in it too, with stand-ins for these services.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { jobsOf } from '../support/ci/gitlab-component.ts';
import { pushSample } from '../support/ci/sample-image.ts';
import { stepOf } from '../support/ci/tekton-task.ts';
import { rewrite } from '../support/e2e/cli.ts';
import { type Container, listLinked, runContainer, unpackContainer } from '../support/e2e/container.ts';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const user = { name: 'someone', password: 'secret' };
const platforms = { amd64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' } as const;
const here = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** What the test looks at in a job of Kubernetes. */
interface Job {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly JobContainer[] } } };
}

interface JobContainer {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

let work: string;
let credentials: string;
let registry: DockerRegistry;
let images: Readonly<Record<'amd64' | 'arm64' | 'debug', Container>>;
/** The digest of what the command of this checkout makes of the sample. */
let expected: string;

/** Builds the image into a folder, as a release does. */
async function build(out: string): Promise<void> {
  const env = { SOURCE_DATE_EPOCH: '1700000000' };
  await run(process.execPath, [join(root, 'scripts/image/run.ts'), '--out', out, '--quick'], { env });
}

beforeAll(async () => {
  work = workFolder('image');
  chmodSync(work, 0o755);
  registry = await DockerRegistry.start({ users: { [user.name]: user.password } });
  credentials = join(work, 'credentials');
  mkdirSync(credentials);
  const auth = Buffer.from(`${user.name}:${user.password}`).toString('base64');
  writeFileSync(join(credentials, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  const env = { DOCKER_CONFIG: credentials };
  await pushSample(`${registry.host}/app:1`, work, env);
  expected = await rewrite(['slim', `${registry.host}/app:1`, `${registry.host}/app:here`], env);

  await build(join(work, 'out'));
  const flags = ['--src-tls-verify=false', '--src-creds', `${user.name}:${user.password}`];
  const unpacked = async (tag: string, architecture: string): Promise<Container> => {
    const name = `${registry.host}/ocislim:${tag}`;
    await rewrite(['copy', `oci:${work}/out/ocislim-image:${tag}`, name], env);
    return unpackContainer(`docker://${name}`, architecture, join(work, `${tag}-${architecture}`), flags);
  };
  images = {
    amd64: await unpacked(version, 'amd64'),
    arm64: await unpacked(version, 'arm64'),
    debug: await unpacked(`${version}-debug`, here),
  };
});
afterAll(async () => {
  await registry?.stop();
  removeFolder(work);
});

describe('the image', () => {
  it('runs on two platforms, and says what it is', async () => {
    const args = ['--tls-verify=false', '--creds', `${user.name}:${user.password}`];
    const name = `docker://${registry.host}/ocislim:${version}`;
    const index = JSON.parse(await run('skopeo', ['inspect', '--raw', ...args, name])) as {
      readonly mediaType: string;
      readonly manifests: readonly { readonly platform: object }[];
      readonly annotations: object;
    };
    expect(index.mediaType).toBe('application/vnd.oci.image.index.v1+json');
    expect(index.manifests.map(({ platform }) => platform)).toEqual([
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux', variant: 'v8' },
    ]);
    const { Labels, ...config } = images[here].config;
    expect(index.annotations).toEqual(Labels);
    expect(Labels).toMatchObject({
      'org.opencontainers.image.title': 'ocislim',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
    expect(config).toEqual({
      User: '65532:65532',
      Env: ['PATH=/usr/bin', 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'],
      Entrypoint: ['/usr/bin/ocislim'],
      WorkingDir: '/work',
    });
  });

  it('slims an image in a registry to the same bytes as the command here', async () => {
    const destination = `${registry.host}/app:contained`;
    const { status, stdout, stderr } = await runContainer(images[here], {
      args: ['slim', `${registry.host}/app:1`, destination],
      env: { DOCKER_CONFIG: '/home/nonroot' },
      volumes: { '/home/nonroot': credentials },
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(`${registry.host}/app@${expected}\n`);
  });

  it('writes layouts and reports into its working directory, which is a volume', async () => {
    const volume = join(work, 'volume');
    const { status, stderr } = await runContainer(images[here], {
      args: ['slim', `${registry.host}/app:1`, 'oci:slim:1', '--report', 'report.json'],
      env: { DOCKER_CONFIG: '/home/nonroot' },
      volumes: { '/work': volume, '/home/nonroot': credentials },
    });
    expect(status, stderr).toBe(0);
    expect(readdirSync(volume).toSorted()).toEqual(['report.json', 'slim']);
    expect(readFileSync(join(volume, 'slim/index.json'), 'utf8')).toContain(expected);
  });

  it.each(Object.keys(platforms) as (keyof typeof platforms)[])(
    'has for %s every library that its programs ask for, of the right architecture',
    async (architecture) => {
      const linked = await listLinked(images[architecture].rootfs);
      expect(new Set(linked.map(({ machine }) => machine))).toEqual(new Set([platforms[architecture]]));
      const there = new Set(linked.map(({ path }) => basename(path)));
      const links = await run('find', [images[architecture].rootfs, '-type', 'l', '-name', '*.so*']);
      for (const link of links.trim().split('\n')) there.add(basename(link));
      const missing = linked.flatMap(({ path, needed }) =>
        needed.filter((name) => !there.has(name)).map((name) => `${path} needs ${name}`),
      );
      expect(missing).toEqual([]);
      expect(linked.map(({ path }) => path)).toContain('/usr/bin/node');
    },
  );

  it('runs on arm64, as qemu shows', async () => {
    const { rootfs } = images.arm64;
    const args = ['-L', rootfs, join(rootfs, 'usr/bin/node'), join(rootfs, 'usr/lib/ocislim/ocislim.cjs')];
    expect(await run('qemu-aarch64-static', [...args, '--version'])).toBe(`${version}\n`);
  });

  it('has no file that its user can change, and none that gives rights', async () => {
    const { rootfs } = images[here];
    const find = async (...test: readonly string[]) => {
      const found = await run('find', [rootfs, '-mindepth', '1', ...test, '-printf', '%P %m %U:%G\n']);
      return found.split('\n').slice(0, -1).toSorted();
    };
    expect(await find('!', '-type', 'l', '(', '-perm', '/0022', '-o', '!', '-uid', '0', ')')).toEqual([
      'home/nonroot 755 65532:65532',
      'tmp 1777 0:0',
      'work 755 65532:65532',
    ]);
    expect(await find('-type', 'f', '-perm', '/7000')).toEqual([]);
    expect(await find('-name', 'sh')).toEqual([]);
  });

  it('trusts the authorities of Debian, and lists its packages for scanners', () => {
    const { rootfs } = images[here];
    const bundle = readFileSync(join(rootfs, 'etc/ssl/certs/ca-certificates.crt'), 'utf8');
    expect(bundle.match(/-----BEGIN CERTIFICATE-----/g)?.length).toBeGreaterThan(100);
    const stanzas = readdirSync(join(rootfs, 'var/lib/dpkg/status.d'));
    expect(stanzas).toContain('libc6');
    for (const name of stanzas)
      expect(readFileSync(join(rootfs, 'var/lib/dpkg/status.d', name), 'utf8')).toMatch(
        new RegExp(`^Package: ${name.replaceAll('+', '\\+')}\n[^]*^Version: \\S+$`, 'm'),
      );
  });

  it('is the same image when it is built again, also in its archive', async () => {
    await build(join(work, 'again'));
    const digests = async (folder: string) => {
      const index = readFileSync(join(work, folder, 'ocislim-image/index.json'), 'utf8');
      const archive = join(work, folder, `ocislim-${version}-image.tar`);
      return { index, archive: (await run('sha256sum', [archive])).split(' ')[0] };
    };
    expect(await digests('again')).toEqual(await digests('out'));
  });
});

describe('files for CI services', () => {
  it('the component of GitLab works in the debug image, and gives later jobs the digest', async () => {
    const destination = `${registry.host}/app:gitlab`;
    const component = read('templates/ocislim.yml');
    const jobs = jobsOf(component, {
      source: `${registry.host}/app:1`,
      destination,
      options: '--label=note=a b\n--quiet',
      job: 'smaller',
    });
    const job = jobs['smaller'];
    expect(job?.image).toEqual({
      name: expect.stringMatching(`/ocislim:${version}-debug$`),
      entrypoint: [''],
    });
    const volume = join(work, 'gitlab');
    const { status, stderr } = await runContainer(images.debug, {
      entrypoint: ['sh', '-ec'],
      args: [job?.script.join('\n') ?? ''],
      env: {
        ...job?.variables,
        CI_REGISTRY: registry.host,
        CI_REGISTRY_USER: user.name,
        CI_REGISTRY_PASSWORD: user.password,
      },
      volumes: { '/work': volume },
    });
    expect(status, stderr).toBe(0);
    expect(readdirSync(volume).toSorted()).toEqual(
      [...(job?.artifacts.paths ?? []), job?.artifacts.reports.dotenv ?? ''].toSorted(),
    );
    expect(readFileSync(join(volume, 'ocislim.env'), 'utf8')).toMatch(
      /^ocislim_image=\S+\nocislim_digest=sha256:[0-9a-f]{64}\n[^]*\nocislim_after=\d+\n$/,
    );
  });

  it('the component of GitLab fails as the command does', async () => {
    const jobs = jobsOf(read('templates/ocislim.yml'), {
      source: `${registry.host}/app:1`,
      destination: `${registry.host}/app:no`,
      options: '--require-savings=99%',
    });
    const { status } = await runContainer(images.debug, {
      entrypoint: ['sh', '-ec'],
      args: [jobs['ocislim']?.script.join('\n') ?? ''],
      env: { ...jobs['ocislim']?.variables, DOCKER_CONFIG: '/home/nonroot' },
      volumes: { '/work': join(work, 'gitlab-gate'), '/home/nonroot': credentials },
    });
    expect(status).toBe(3);
  });

  it('the task of Tekton works in the debug image, and has its results', async () => {
    const destination = `${registry.host}/app:tekton`;
    const options = ['--label=note=a b', '--quiet'];
    const step = stepOf(read('ci/tekton/task.yaml'), {
      params: { source: `${registry.host}/app:1`, destination, options },
      results: '/work',
      dockerconfig: '/home/nonroot',
    });
    expect(step.image).toMatch(new RegExp(`/ocislim:${version}-debug$`));
    const volume = join(work, 'tekton');
    const scripts = join(work, 'scripts');
    mkdirSync(scripts);
    writeFileSync(join(scripts, 'script'), step.script, { mode: 0o755 });
    const { status, stderr } = await runContainer(images.debug, {
      entrypoint: ['/run/script'],
      args: step.args,
      env: Object.fromEntries(step.env.map(({ name, value }) => [name, value])),
      volumes: { '/work': volume, '/home/nonroot': credentials, '/run': scripts },
    });
    expect(status, stderr).toBe(0);
    const results = readdirSync(volume).map((name) => [name, readFileSync(join(volume, name), 'utf8')]);
    expect(Object.fromEntries(results)).toEqual({
      IMAGE_URL: `${registry.host}/app`,
      IMAGE_DIGEST: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      BEFORE: expect.stringMatching(/^\d+$/),
      AFTER: expect.stringMatching(/^\d+$/),
    });
  });

  it('the job of Kubernetes runs as it is', async () => {
    const [container] = (
      parse(read('ci/kubernetes/job.yaml').replaceAll('registry.example/app', `${registry.host}/app`)) as Job
    ).spec.template.spec.containers;
    expect(container?.image).toMatch(new RegExp(`/ocislim:${version}$`));
    const { status, stdout, stderr } = await runContainer(images[here], {
      args: container?.args ?? [],
      env: Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []),
      volumes: { [container?.volumeMounts.at(-1)?.mountPath ?? '']: credentials },
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(`${registry.host}/app@${expected}\n`);
  });
});
