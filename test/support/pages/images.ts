/**
 * The images that the examples of the documentation are run on: small, and with the waste that ordinary Dockerfiles leave. Their
 * bytes are the same every time, so that pages can show what a command prints.
 */
import { createHash } from 'node:crypto';
import { buildImage, buildIndex, type BuiltImage, type BuiltTree } from '../image-builder.ts';
import { bytesOf } from '../model/byte-string.ts';
import { specOf } from '../model/shorthand.ts';
import { type EntrySpec, writeTar } from '../model/tar-bytes.ts';

/** An instruction of a Dockerfile, and the entries of the layer that it made. */
type Step = readonly [instruction: string, ...entries: (string | EntrySpec)[]];

type Platform = NonNullable<Parameters<typeof buildImage>[0]['platform']>;

const packages = file('var/lib/apt/lists/mirror.example_main_Packages', words(400_000));

const base: readonly Step[] = [
  [
    'ADD rootfs.tar.xz /',
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n'),
    file('etc/group', 'root:x:0:\napp:x:1000:\n'),
    program('bin/sh', 20_000),
    program('usr/bin/curl', 30_000),
    file('usr/share/zoneinfo/UTC', 'TZif2'),
    file('usr/share/doc/curl/README', words(50_000)),
    file('usr/share/doc/curl/copyright', words(2_000)),
  ],
  [
    'RUN apt-get update && apt-get install -y curl',
    packages,
    file('var/cache/apt/archives/curl_8.14.1_amd64.deb', noise('deb', 60_000)),
    file('var/log/apt/history.log', words(3_000)),
  ],
];

/** The base with what was fixed in it since. */
const newerBase: readonly Step[] = [
  ...base,
  ['RUN apt-get upgrade -y', program('usr/bin/curl', 31_000), file('usr/share/zoneinfo/UTC', 'TZif3')],
];

const application = [
  program('app/main', 40_000),
  file('app/model.bin', noise('model', 600_000)),
  file('app/lib/code.js', words(300_000)),
];

const service: readonly Step[] = [
  ...base,
  ['COPY . /app', ...application, file('app/cache/a', noise('cache', 20_000))],
  ['RUN rm -rf /var/lib/apt/lists/*', 'var/lib/apt/lists/.wh.mirror.example_main_Packages'],
  [
    'RUN chown -R app:app /app',
    ...application.map((entry): EntrySpec => ({ ...entry, uid: 1000, gid: 1000 })),
  ],
];

/** With packages of Debian, of which the application uses one. */
const packaged: readonly Step[] = [
  [
    'ADD rootfs.tar.xz /',
    file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
    program('bin/sh', 20_000),
    program('usr/bin/curl', 30_000),
    file('usr/share/doc/curl/copyright', words(2_000)),
    file('var/lib/dpkg/info/curl.list', '/.\n/usr/bin/curl\n/usr/share/doc/curl/copyright\n'),
    file('var/lib/dpkg/info/dash.list', '/.\n/bin/sh\n'),
    file('var/lib/dpkg/status', ['curl', 'dash'].map(stanza).join('')),
  ],
  ['COPY main /app', program('app/main', 40_000)],
];

/** The next version of the service: on a newer base. */
const nextService: readonly Step[] = [...newerBase, ...service.slice(base.length)];

/** Without waste. */
const lean: readonly Step[] = [
  [
    'COPY --chown=app main /app/',
    program('app/main', 40_000),
    file('app/model.bin', noise('model', 300_000)),
  ],
];

const cuda: readonly Step[] = [
  ...base,
  [
    'RUN apt-get install -y cuda-toolkit-12-8',
    file('usr/local/cuda-12.8/lib64/libcublas.so.12', noise('cublas', 300_000)),
    file('usr/local/cuda-12.8/lib64/libcublas_static.a', noise('static', 500_000)),
    file('usr/local/cuda-12.8/include/cublas.h', words(80_000)),
    file('usr/local/cuda-12.8/bin/nsys', noise('nsys', 50_000)),
    file('opt/nvidia/nsight-compute/2026.1/ncu', noise('ncu', 200_000)),
  ],
  [
    'RUN pip install torch',
    file('root/.cache/pip/http-v2/a/torch.whl', noise('wheel', 250_000)),
    file('root/.cache/uv/archive-v0/x/torch.so', noise('uv', 250_000)),
    file('app/venv/lib/torch.so', noise('torch', 250_000)),
  ],
  ['COPY . /app', program('app/main', 40_000)],
];

/** Returns an image whose application has forty layers of its own, above the base image. */
function fortyLayers(): readonly Step[] {
  const steps = Array.from({ length: 38 }, (_, i): Step => {
    const number = String(i + 1).padStart(2, '0');
    return [`COPY part-${number} /app`, file(`app/part-${number}`, noise(number, 4_000))];
  });
  return [...base, ['COPY main /app', program('app/main', 40_000)], ...steps];
}

/** Returns the images of the registry, by the names under which the pages know them. */
export function pageImages(): Readonly<Record<string, BuiltTree>> {
  const app = imageOf(service);
  const tool = (architecture: string): BuiltImage =>
    imageOf([...base, [`COPY tool /usr/bin/tool`, program(`usr/bin/tool`, 50_000)]], {
      os: 'linux',
      architecture,
    });
  return {
    'base:1': imageOf(base),
    'base:2': imageOf(newerBase),
    'app:1': app,
    'app:2': imageOf(nextService),
    'team/app:1': app,
    'team/lean:1': imageOf(lean),
    'team/packages:1': imageOf(packaged),
    'team/many:1': imageOf(fortyLayers()),
    'team/cuda:1': imageOf(cuda),
    'vendor/tool:2': buildIndex({ images: [tool('amd64'), tool('arm64')], attestations: true }),
  };
}

function imageOf(steps: readonly Step[], platform?: Platform): BuiltImage {
  const history = steps.map(([instruction], i) => ({
    created: `2026-01-15T12:00:${String(i).padStart(2, '0')}Z`,
    created_by: instruction,
  }));
  return buildImage({
    layers: steps.map(([, ...entries]) => writeTar(entries.map(specOf))),
    ...(platform === undefined ? {} : { platform }),
    config: {
      config: { Env: ['PATH=/usr/bin:/bin'], Entrypoint: [entrypointOf(steps)], WorkingDir: '/app' },
      history,
    },
  });
}

function entrypointOf(steps: readonly Step[]): string {
  const names = steps.flatMap(([, ...entries]) => entries.map((entry) => specOf(entry).name));
  return names.includes('app/main')
    ? '/app/main'
    : names.includes('usr/bin/tool')
      ? '/usr/bin/tool'
      : '/bin/sh';
}

function file(name: string, text: string): EntrySpec {
  return { name, body: bytesOf(text) };
}

/** Makes the entry of a package in the database of dpkg. */
function stanza(name: string): string {
  return `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 8.14.1-1\n\n`;
}

/** Makes an executable file that is neither an ELF file nor a script, so that it needs nothing. */
function program(name: string, size: number): EntrySpec {
  return { name, body: bytesOf(noise(name, size)), mode: 0o755 };
}

/** Makes text that compresses well. */
function words(size: number): string {
  return 'the quick brown fox jumps over the lazy dog, as always. '
    .repeat(Math.ceil(size / 56))
    .slice(0, size);
}

/** Makes bytes that do not compress, one character each; the same for the same seed. */
function noise(seed: string, size: number): string {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, i) =>
    createHash('sha256').update(`${seed} ${i}`).digest('latin1'),
  );
  return blocks.join('').slice(0, size);
}
