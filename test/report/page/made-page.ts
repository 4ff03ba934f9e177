/**
 * Makes pages for tests: of files that look like those of an image, and of hostile names. The browser tests and those of the writer
 * share it.
 */
import { buildPage } from '../../../scripts/page.ts';
import { displayPath, escapeText } from '../../../src/report/escape.ts';
import { writePage } from '../../../src/report/page/html.ts';
import { packFiles } from '../../../src/report/page/packed-files.ts';
import type { Fate, Page, PageImage } from '../../../src/report/page/page.ts';
import { utf8Bytes } from '../../../src/bytes/bytes.ts';
import { type MadeRow, tableOf } from './made-table.ts';

const fates: readonly Fate[] = [
  { group: 'kept', name: 'kept', why: 'A container sees it.', before: true, after: true },
  {
    group: 'removed',
    name: 'preset docs',
    why: 'usr/share/doc/** (preset docs)',
    before: true,
    after: false,
  },
  { group: 'hidden', name: 'hidden, still there', why: 'A layer above has it.', before: true, after: true },
  { group: 'added', name: 'restored', why: 'It came back.', before: false, after: true },
];

/** Names with markup, direction marks, control characters and what CI services take for commands, as a page has them. */
export const hostileNames: readonly string[] = [
  '<img src=x onerror="document.title=1">',
  '<',
  'a</script><script>document.title=1<',
  '<!--<script>',
  '\u202egnp.exe',
  'a\u001b[2J\u0007\nb',
  '::error::x',
  '##vso[task]',
  "=cmd|'!A1",
  '&lt;b&gt;',
].map((name) => displayPath(utf8Bytes(name)).replaceAll('/', '\u2215'));

/** Generates numbers that look random, the same ones for each seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const words =
  'core util http json parse time date test base file path stream text math list node tree type error config lock auth cache client server format proxy token event queue image layer table index schema model view route query build'.split(
    ' ',
  );

/** Files that most packages have. */
const usual = ['index.js', 'index.d.ts', 'package.json', 'README.md', 'LICENSE', '__init__.py'];

/** Makes rows that look like those of an image: packages with modules, compiled files and documentation. */
export function imageRows(count: number, seed = 7): MadeRow[] {
  const next = random(seed);
  const word = () => words[Math.floor(next() * words.length)] as string;
  const size = () => Math.floor(Math.exp(5 + next() * 7));
  const rows: MadeRow[] = [];
  const add = (path: readonly string[], layer: number, fate = 0) =>
    void rows.push({ path, size: size() * (fate === 2 ? 50 : 1), layer, fate, kind: 0 });
  while (rows.length < count) {
    const name = `${word()}-${word()}${Math.floor(next() * 9)}`;
    const folder = ['usr', 'lib', 'python3', 'site-packages', name];
    for (const base of usual) add(['usr', 'lib', 'node_modules', name, base], 2);
    for (let i = 0; i < 8; i++) {
      const base = next() < 0.5 ? word() : `${word()}_${word()}`;
      add([...folder, `${base}.py`], 2);
      add([...folder, '__pycache__', `${base}.cpython-311.pyc`], 2);
    }
    add(['usr', 'share', 'doc', name, 'copyright'], 1, 1);
    add(['usr', 'share', 'doc', name, 'changelog.Debian.gz'], 1, 1);
    add(['var', 'lib', 'dpkg', 'info', `${name}.list`], 1);
    add(['var', 'lib', 'dpkg', 'info', `${name}.md5sums`], 1);
    if (next() < 0.1) add(['opt', name, 'data.bin'], 3, 2);
  }
  return rows.slice(0, count);
}

/** Makes rows of hostile names. */
export function hostileRows(): MadeRow[] {
  return hostileNames.flatMap((name, i) => [
    { path: ['var', name], size: 1000 * (i + 1), layer: 1, fate: 0, kind: 0 },
    { path: ['srv', name, name], size: 500 * (i + 1), layer: 2, fate: 1, kind: 0 },
  ]);
}

/** Writes a page about such rows as one text. `change` changes the page before. */
export async function madePage(
  rows: readonly MadeRow[],
  change: (image: PageImage) => Partial<PageImage> = () => ({}),
): Promise<string> {
  const table = tableOf(rows);
  const files = await packFiles({ table, fates }, new AbortController().signal);
  const nasty = hostileNames.join(' ');
  const image: PageImage = {
    name: 'linux/amd64',
    figures: [
      { label: 'Transfer size', unit: 'bytes', before: 139e6, after: 47.2e6, estimated: false },
      { label: 'Pull at 100 Mbit/s', unit: 'seconds', before: 11.1, after: 3.8, estimated: true },
      { label: 'Layers', unit: 'count', before: 3, after: 3, estimated: false },
    ],
    actions: [
      {
        bytes: 12e6,
        what: 'Files that layers above replace are still stored.',
        places: ['/opt', nasty],
        instruction: `RUN ${nasty}`,
        dockerfile: 'RUN apt-get update && rm -rf /var/lib/apt/lists/*',
        command: 'ocislim prune registry.example/app:1 registry.example/app:1-slim --shadowed',
      },
    ],
    layers: [1, 2, 3].map((number) => ({
      label: `${number}`,
      sources: [number],
      instruction: number === 3 ? nasty : `RUN make layer${number}`,
      before: 30e6 * number,
      after: 10e6 * number,
      what: 'rewritten',
    })),
    files: {
      note: 'Every entry of every layer.',
      fates,
      sides: ['Before', 'After'],
      layers: ['ADD file', nasty, 'COPY . .'],
      rounded: files.rounded,
    },
    gates: [
      {
        name: 'max-size',
        result: 'failed',
        text: '139.0 MB are more than 100 MB',
        fix: 'Keep fewer files.',
        command: 'ocislim slim a b',
      },
      { name: 'no-root', result: 'passed', text: nasty, fix: null, command: null },
    ],
    tried: {
      result: 'same',
      verdict: 'Ran twice and was asked 40 things; the pruned image answers the same.',
      facts: [
        ['Command', nasty],
        ['Used', '214 paths'],
      ],
      tables: [
        {
          title: 'Probes',
          note: null,
          columns: [
            { title: 'Probe', unit: 'path' },
            { title: 'Pruned', unit: 'text' },
            { title: 'After', unit: 'seconds' },
          ],
          rows: Array.from({ length: 40 }, (_, i) => [
            `GET /${i} ${i === 0 ? nasty : ''}`,
            'the same',
            i / 50,
          ]),
        },
      ],
    },
    tables: [
      {
        title: 'Packages',
        note: null,
        columns: [
          { title: 'Name', unit: 'text' },
          { title: 'Size', unit: 'bytes' },
        ],
        rows: Array.from({ length: 300 }, (_, i) => [`package${i} ${i === 0 ? nasty : ''}`, i * 1000]),
      },
    ],
  };
  const page: Page = {
    command: 'ocislim slim',
    title: `registry.example/app:1 ${escapeText(nasty)}`,
    remark: null,
    names: [{ role: 'Source', reference: 'registry.example/app:1', digest: `sha256:${'a'.repeat(64)}` }],
    images: [
      { ...image, ...change(image) },
      { ...image, name: 'linux/arm64', files: null },
    ],
    warnings: [`RULE_UNUSED: ${nasty}`],
    maker: 'Made by ocislim 0.1.0.',
  };
  return [...writePage(page, [files, null], await buildPage())].join('');
}
