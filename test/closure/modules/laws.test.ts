/** Laws of named modules: over random packages that name each other, and beside real interpreters. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { modulesRule } from '../../../src/closure/rules/modules.ts';
import { runs, seed } from '../../support/extent.ts';
import type { Table } from '../rig.ts';
import { stays } from '../rules/stays.ts';
import { dpkg, gem, node, wheel } from './trees.ts';

const granularity = 'package';

/** A package of a random application: the numbers of those that loading it loads, that it declares, and that it names in a function. */
interface Random {
  readonly top: readonly number[];
  readonly declared: readonly number[];
  readonly late: readonly number[];
}

/** How a language writes a source and a package. */
interface Writing {
  readonly suffix: string;
  readonly top: (name: string) => string;
  readonly late: (name: string) => string;
  /** Whether the metadata of a package say what it depends on. */
  readonly declares: boolean;
  /** Whether what loading a package loads is read from its sources. */
  readonly reads: boolean;
  readonly pack: (name: string, source: string, declared: readonly string[]) => Table;
}

const writings: Readonly<Record<string, Writing>> = {
  python: {
    suffix: 'py',
    top: (name) => `import ${name}`,
    late: (name) => `def f():\n    import ${name}`,
    declares: true,
    reads: true,
    pack: (name, source, declared) =>
      wheel(
        name,
        { [`${name}/__init__.py`]: source, [`${name}/data`]: name },
        ...declared.map((each) => `Requires-Dist: ${each}`),
      ),
  },
  node: {
    suffix: 'js',
    top: (name) => `require('${name}')`,
    late: (name) => `() => require('${name}')`,
    declares: true,
    reads: false,
    pack: (name, source, declared) => ({
      ...node('var/app', {
        [name]: { dependencies: Object.fromEntries(declared.map((each) => [each, '1'])) },
      }),
      [`var/app/node_modules/${name}/index.js`]: source,
      [`var/app/node_modules/${name}/data`]: name,
    }),
  },
  ruby: {
    suffix: 'rb',
    top: (name) => `require '${name}'`,
    late: (name) => `def f\n  require '${name}'\nend`,
    declares: true,
    reads: true,
    pack: (name, source, declared) =>
      gem(
        name,
        { [`lib/${name}.rb`]: source, data: name },
        ...declared.map((each) => `  s.add_dependency("${each}")`),
      ),
  },
  perl: {
    suffix: 'pl',
    top: (name) => `use ${name};`,
    late: (name) => `sub f { require ${name}; }`,
    declares: false,
    reads: true,
    pack: (name, source) =>
      dpkg(`lib${name}-perl`, { [`usr/share/perl5/${name}.pm`]: source, [`usr/share/${name}/data`]: name }),
  },
};

const count = 6;
const numbers = fc.uniqueArray(fc.nat(count - 1), { maxLength: 3 });
const random: fc.Arbitrary<Random> = fc.record({ top: numbers, declared: numbers, late: numbers });

test.each(Object.entries(writings))(
  'in %s, what the application names stays, with all that loading it needs',
  async (_, writing) => {
    const name = (i: number): string => `pack${i}`;
    const sourceOf = ({ top, late }: Random): string =>
      [...top.map((i) => writing.top(name(i))), ...late.map((i) => writing.late(name(i))), ''].join('\n');
    await fc.assert(
      fc.asyncProperty(
        random,
        fc.array(random, { minLength: count, maxLength: count }),
        async (own, packages) => {
          const source = `var/app/main.${writing.suffix}`;
          let image: Table = { [source]: `# one\n${sourceOf(own)}`, 'usr/bin/node': 'ELF' };
          for (const [i, each] of packages.entries())
            image = {
              ...image,
              ...writing.pack(name(i), `# one\n${sourceOf(each)}`, each.declared.map(name)),
            };
          const reached = new Set<number>([...own.top, ...own.late]);
          for (const i of reached) {
            const { top = [], declared = [] } = packages[i] ?? {};
            for (const next of [...(writing.reads ? top : []), ...(writing.declares ? declared : [])])
              reached.add(next);
          }
          const files = await stays(modulesRule, image, {
            want: [source],
            trace: { 'usr/bin/node': 'exec' },
            granularity,
          });
          const found = files
            .filter((path) => path.endsWith('/data'))
            .map((path) => path.match(/pack\d/)?.[0] ?? '');
          expect(found.toSorted()).toEqual([...reached].map(name).toSorted());
        },
      ),
      { numRuns: runs(25, 100) },
    );
  },
);

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'modules-')));
afterAll(() => rmSync(scratch, { recursive: true }));
let trees = 0;

/** Writes a tree for real, and returns its directory. */
function written(files: Readonly<Record<string, string>>): string {
  const home = join(scratch, `${trees++}`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(home, dirname(path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  return home;
}

const part = fc.constantFrom('a', 'b', 'lib', 'index');

test('what Node finds for a name, stays', async () => {
  const inside = fc
    .tuple(part, fc.constantFrom('', '.js', '.json', '.cjs', '/index.js'))
    .map((parts) => parts.join(''));
  const manifest = fc.constantFrom(
    '{}',
    '{"main":"lib"}',
    '{"main":"./a.js"}',
    '{"exports":{".":"./b.js","./x":"./lib.js"}}',
  );
  // One directory for each package: where a nearer one of that name cannot be loaded, Node takes the next above, and the rule may not.
  const packages = fc.uniqueArray(
    fc.tuple(
      fc.constantFrom('', 'sub/'),
      fc.constantFrom('p', '@s/q'),
      manifest,
      fc.array(inside, { maxLength: 3 }),
    ),
    { maxLength: 4, selector: ([, name]) => name },
  );
  const name = fc.oneof(
    inside.map((each) => `./${each}`),
    inside.map((each) => `../${each}`),
    fc.constantFrom('.', '..', 'p', '@s/q', 'p/x', 'p/lib', 'p/a.js', '@s/q/b', 'fs', 'absent'),
  );
  await fc.assert(
    fc.asyncProperty(packages, fc.array(inside, { maxLength: 4 }), name, async (installed, own, wanted) => {
      const files: Record<string, string> = { 'sub/main.js': `() => require('${wanted}')` };
      const add = (path: string, text: string): void => {
        const clashes = Object.keys(files).some(
          (each) => `${each}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${each}/`),
        );
        if (!clashes) files[path] = text;
      };
      for (const path of own) add(`sub/${path}`, '1+1');
      for (const [home, pack, text, inner] of installed) {
        add(`${home}node_modules/${pack}/package.json`, text);
        for (const path of inner) add(`${home}node_modules/${pack}/${path}`, '1+1');
      }
      const home = written(files);
      let found: string | null = null;
      try {
        found = createRequire(join(home, 'sub/main.js')).resolve(wanted);
      } catch {
        // Node does not find it, and nothing has to stay.
      }
      if (found?.startsWith(`${home}/`) !== true) return;
      const image = Object.fromEntries(
        Object.entries(files).map(([path, text]) => [`var/app/${path}`, text]),
      );
      const kept = await stays(
        modulesRule,
        { ...image, 'usr/bin/node': 'ELF' },
        { want: ['var/app/sub/main.js'], trace: { 'usr/bin/node': 'exec' }, granularity },
      );
      expect(kept).toContain(`var/app/${found.slice(home.length + 1)}`);
    }),
    { numRuns: runs(150, 1000) },
  );
});

test('what Python finds for a name, stays', async () => {
  const module = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 });
  const source = fc
    .tuple(module, fc.constantFrom('.py', '/__init__.py'))
    .map(([parts, end]) => `${parts.join('/')}${end}`);
  const sources = fc.uniqueArray(source, { maxLength: 8 });
  const names = fc.array(
    module.map((parts) => parts.join('.')),
    { minLength: 1, maxLength: 8 },
  );
  // One process asks Python about all trees.
  const cases = fc
    .sample(fc.tuple(sources, names), { numRuns: runs(100, 400), seed })
    .map(([paths, wanted]) => {
      const files: Record<string, string> = {
        'main.py': wanted.map((each) => `    import ${each}\n`).join(''),
        ...Object.fromEntries(paths.map((path) => [path, '# one\n'])),
      };
      return { files, home: written(files), wanted };
    });
  const asked = JSON.stringify(cases.map(({ home, wanted }) => [home, wanted]));
  const said = execFileSync('python3', ['-S', '-c', finder], { input: asked, encoding: 'utf8' });
  for (const [i, found] of (JSON.parse(said) as readonly string[][]).entries()) {
    const { files = {}, home = '' } = cases[i] ?? {};
    const image = Object.fromEntries(Object.entries(files).map(([path, text]) => [`var/app/${path}`, text]));
    const kept = await stays(modulesRule, image, { want: ['var/app/main.py'], granularity });
    expect(kept).toEqual(
      expect.arrayContaining(found.map((path) => `var/app/${path.slice(home.length + 1)}`)),
    );
  }
  expect(JSON.parse(said)).toHaveLength(cases.length);
});

/** Prints which files Python finds for names, tree by tree. */
const finder = `
import importlib, importlib.util, json, sys
found = []
for home, names in json.load(sys.stdin):
    sys.path.insert(0, home)
    importlib.invalidate_caches()
    files = []
    for name in names:
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            continue
        if spec and spec.origin:
            files.append(spec.origin)
    found.append(files)
    sys.path.remove(home)
    for name in [each for each in sys.modules if each.split(".")[0] in ("a", "b", "c")]:
        sys.modules.pop(name, None)
json.dump(found, sys.stdout)
`;
