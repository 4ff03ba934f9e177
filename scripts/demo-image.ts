/**
 * Builds the image of the demonstration as a careless Dockerfile does. scripts/demo.ts slims it, and the README
 * shows the result.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { type Header, type Pack, pack } from 'tar-stream';

const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
const time = new Date('2026-01-15T12:00:00Z');

/** The packages that the application needs; the others are for its build only. */
const needed = ['undici', 'yaml', 'zod', 'pako'];
const forBuilding = ['typescript', '@typescript', 'knip', 'fast-check', '@types'];

/** A layer of the demonstration: its instruction, and what it puts into its tar. */
interface Step {
  readonly createdBy: string;
  write(layer: LayerTar): Promise<void>;
}

const steps: readonly Step[] = [
  {
    createdBy: 'ADD node.tar.xz /usr/local   # a Node distribution with headers and docs',
    async write(layer) {
      await layer.directories('etc', 'root', 'tmp', 'var/lib/apt/lists', 'usr/local/bin', 'usr/share/doc');
      await layer.text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/app:/bin/sh\n');
      await layer.file('usr/local/bin/node', await realpath(join(modules, 'node/bin/node')), { mode: 0o755 });
      await layer.link('usr/local/bin/nodejs', 'usr/local/bin/node');
      await layer.tree('usr/local/include/node', join(modules, '@types/node'));
      for (const name of await packages())
        await layer.tree(`usr/share/doc/${name}`, join(modules, name), isDocumentation);
    },
  },
  {
    createdBy: 'RUN apt-get update && npm ci --include=dev   # leaves lists and a cache behind',
    async write(layer) {
      await layer.directories('var/lib/apt/lists', 'root/.npm/_cacache/content-v2/sha512');
      for (const name of [...needed, ...forBuilding]) {
        const whole = await everyByte(join(modules, name));
        const hash = createHash('sha512').update(whole).digest('hex');
        const cached = `root/.npm/_cacache/content-v2/sha512/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash.slice(4)}`;
        await layer.bytes(cached, gzipSync(whole));
      }
      for (const section of ['main', 'contrib', 'security'])
        await layer.file(
          `var/lib/apt/lists/mirror.example_debian_dists_stable_${section}_Packages`,
          join(modules, '../package-lock.json'),
        );
    },
  },
  {
    createdBy: 'COPY . /app   # with all of node_modules',
    async write(layer) {
      await layer.text(
        'app/server.js',
        "import { parse } from 'yaml';\nconsole.log(parse('ready: true'));\n",
      );
      for (const name of [...needed, ...forBuilding])
        await layer.tree(`app/node_modules/${name}`, join(modules, name));
    },
  },
  {
    createdBy: 'RUN npm prune --omit=dev && rm -rf /root/.npm /var/lib/apt/lists/*   # too late',
    async write(layer) {
      for (const name of forBuilding) await layer.whiteout(`app/node_modules/${name}`);
      await layer.whiteout('root/.npm');
      for (const section of ['main', 'contrib', 'security'])
        await layer.whiteout(`var/lib/apt/lists/mirror.example_debian_dists_stable_${section}_Packages`);
    },
  },
  {
    createdBy: 'RUN chown -R node:node /app   # copies every file',
    async write(layer) {
      const owner = { uid: 1000, gid: 1000 };
      await layer.text(
        'app/server.js',
        "import { parse } from 'yaml';\nconsole.log(parse('ready: true'));\n",
        owner,
      );
      for (const name of needed)
        await layer.tree(`app/node_modules/${name}`, join(modules, name), () => true, owner);
    },
  },
  {
    createdBy: 'COPY app.conf /etc/app.conf',
    async write(layer) {
      await layer.text('etc/app.conf', 'port = 8080\n');
    },
  },
];

/** Writes the image as an OCI layout, out of files that `npm ci` has put on this machine. */
export async function writeDemoImage(folder: string, tag: string): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const layers = [];
  const diffIds = [];
  for (const [i, step] of steps.entries()) {
    const { digest, diffId, size } = await writeLayer(step, join(blobs, `layer-${i}`), blobs);
    layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size });
    diffIds.push(diffId);
  }
  const config = {
    created: time.toISOString(),
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Env: ['PATH=/usr/local/bin'], WorkingDir: '/app', User: 'node', Cmd: ['node', 'server.js'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: steps.map(({ createdBy }) => ({ created: time.toISOString(), created_by: createdBy })),
  };
  const put = async (value: object): Promise<{ digest: string; size: number }> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hash = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(blobs, hash), bytes);
    return { digest: `sha256:${hash}`, size: bytes.length };
  };
  const manifest = await put({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await put(config)) },
    layers,
  });
  const named = { 'org.opencontainers.image.ref.name': tag };
  const root = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest, annotations: named };
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [root] }));
}

async function writeLayer(step: Step, temporary: string, blobs: string) {
  const plain = createHash('sha256');
  const packed = createHash('sha256');
  const tar = pack();
  const written = pipeline(
    tar,
    watch(plain),
    createGzip({ level: 6, chunkSize: 1 << 18 }),
    watch(packed),
    createWriteStream(temporary),
  );
  await Promise.all([step.write(new LayerTar(tar)).then(() => tar.finalize()), written]);
  const hash = packed.digest('hex');
  const { size } = await stat(temporary);
  await rename(temporary, join(blobs, hash));
  return { digest: `sha256:${hash}`, diffId: `sha256:${plain.digest('hex')}`, size };
}

function watch(hash: { update(bytes: Uint8Array): unknown }) {
  return async function* (stream: AsyncIterable<Uint8Array>) {
    for await (const chunk of stream) {
      hash.update(chunk);
      yield chunk;
    }
  };
}

type Attributes = Partial<Pick<Header, 'uid' | 'gid' | 'mode'>>;

/** The tar of one layer. Directories above an entry are written once, before it. */
class LayerTar {
  readonly #tar: Pack;
  readonly #made = new Set<string>(['.']);

  constructor(tar: Pack) {
    this.#tar = tar;
  }

  async directories(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.#above(`${name}/x`, {});
  }

  text(name: string, content: string, attributes: Attributes = {}): Promise<void> {
    return this.bytes(name, Buffer.from(content), attributes);
  }

  async bytes(name: string, content: Buffer, attributes: Attributes = {}): Promise<void> {
    await this.#above(name, attributes);
    await new Promise<void>((resolve, reject) => {
      this.#tar.entry({ name, mtime: time, mode: 0o644, ...attributes }, content, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  async file(name: string, path: string, attributes: Attributes = {}): Promise<void> {
    await this.#above(name, attributes);
    const { size } = await stat(path);
    await new Promise<void>((resolve, reject) => {
      const entry = this.#tar.entry({ name, size, mtime: time, mode: 0o644, ...attributes }, (error) =>
        error ? reject(error) : resolve(),
      );
      createReadStream(path, { highWaterMark: 1 << 18 })
        .on('error', reject)
        .pipe(entry);
    });
  }

  async tree(
    name: string,
    folder: string,
    isWanted: (path: string) => boolean = () => true,
    owner: Attributes = {},
  ): Promise<void> {
    for (const path of await filesBelow(folder))
      if (isWanted(path)) await this.file(join(name, relative(folder, path)), path, owner);
  }

  async link(name: string, target: string): Promise<void> {
    await this.#header({ name, linkname: target, type: 'link' });
  }

  async whiteout(name: string): Promise<void> {
    await this.bytes(join(dirname(name), `.wh.${basename(name)}`), Buffer.alloc(0));
  }

  async #above(name: string, { uid = 0, gid = 0 }: Attributes): Promise<void> {
    const folder = dirname(name);
    if (this.#made.has(folder)) return;
    this.#made.add(folder);
    await this.#above(folder, { uid, gid });
    const mode = folder === 'tmp' ? 0o1777 : 0o755;
    await this.#header({ name: `${folder}/`, type: 'directory', mode, uid, gid });
  }

  #header(header: Partial<Header> & Pick<Header, 'name'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tar.entry({ mtime: time, mode: 0o644, ...header }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }
}

function isDocumentation(path: string): boolean {
  return /\.md$|^(?:LICENSE|NOTICE|CHANGELOG|HISTORY|AUTHORS)/i.test(basename(path));
}

async function packages(): Promise<string[]> {
  const names = await readdir(modules);
  return names.filter((name) => /^[a-z]/.test(name)).sort();
}

/** Returns regular files only, in the order of their names, so that the image is the same every time. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const result: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) result.push(...(await filesBelow(path)));
    else if (entry.isFile()) result.push(path);
  }
  return result;
}

async function everyByte(folder: string): Promise<Buffer> {
  return Buffer.concat(await Promise.all((await filesBelow(folder)).map((path) => readFile(path))));
}
