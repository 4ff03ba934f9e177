import { describe, expect, it } from 'vitest';
import type { Granularity } from '../../../src/image/trace-pruning.ts';
import { closureRules } from '../../../src/closure/rules/all.ts';
import { modulesRule } from '../../../src/closure/rules/modules.ts';
import { dpkg, node, wheel } from '../modules/trees.ts';
import { file, inputOf, kept, reasons, script, type Table, text } from '../rig.ts';
import { jarOf } from '../../support/jar.ts';
import { closeOver } from '../../../src/closure/closure.ts';
import { MiB } from '../../../src/units.ts';
import { p } from '../../support/bytes.ts';
import { saysOf, stays } from './stays.ts';

const image: Table = {
  'usr/bin/python3': 'ELF',
  'usr/bin/node': 'ELF',
  'var/app/main.py': 'def f():\n    import lazy\n',
  ...wheel('lazy', { 'lazy.py': 'import next\n', 'lazy.txt': 'data' }),
  ...wheel('next', { 'next.py': 'def f():\n    import last\n' }),
  ...wheel('last', { 'last.py': '# one\n' }),
};

/** Returns the modules that stay. */
async function modulesOf(
  table: Table,
  trace: Readonly<Record<string, string>>,
  granularity: Granularity = 'package',
) {
  const files = await stays(modulesRule, table, { trace, granularity });
  return files
    .filter((path) => path.endsWith('.py') && !(path in trace))
    .map((path) => path.replace(/.*\//, ''));
}

describe('a source counts', () => {
  it.each(['package', 'directory'] as const)('that the trace used, at %s', async (granularity) => {
    expect(await modulesOf(image, { 'var/app/main.py': 'open' }, granularity)).toEqual([
      'lazy.py',
      'next.py',
    ]);
  });

  it('not at all at file', async () => {
    expect(await modulesOf(image, { 'var/app/main.py': 'open' }, 'file')).toEqual([]);
  });

  it('that was only looked at, since its compiled copy was opened', async () => {
    expect(await modulesOf(image, { 'var/app/main.py': 'stat' })).toEqual(['lazy.py', 'next.py']);
  });

  it('not, where nothing used it', async () => {
    expect(await modulesOf(image, { 'usr/bin/python3': 'exec' })).toEqual([]);
  });

  it('wherever it names a module, if it is of a package that was installed for the application', async () => {
    const path = 'usr/local/lib/python3.11/site-packages/next.py';
    expect(await modulesOf(image, { [path]: 'open' })).toEqual(['last.py']);
  });

  it('by the metadata that a look for plug-ins opens: its distribution stays, and what that declares', async () => {
    const points = 'plug-1.0.dist-info/entry_points.txt';
    const plug = wheel('plug', { 'plug.py': '# one\n', [points]: '[plugins]\n' }, 'Requires-Dist: last>=1');
    const trace = { [`usr/local/lib/python3.11/site-packages/${points}`]: 'open' };
    expect(await modulesOf({ ...image, ...plug }, trace)).toEqual(['last.py']);
  });

  it('not, if a package of the system owns it', async () => {
    const table = { ...image, ...dpkg('tool', { 'usr/share/tool/tool.py': '    import lazy\n' }) };
    expect(await modulesOf(table, { 'usr/share/tool/tool.py': 'open' })).toEqual([]);
  });

  it('by its class path, if it is an archive of a package of the system', async () => {
    const jar = text(jarOf('Class-Path: b.jar\n').toString('latin1'));
    const table = { ...dpkg('a', { 'usr/share/java/a.jar': 'PK' }), 'usr/share/java/a.jar': jar };
    const files = await stays(
      modulesRule,
      { ...table, 'usr/share/java/b.jar': 'PK', 'usr/share/java/c.jar': 'PK' },
      { want: ['usr/share/java/a.jar'], granularity: 'package' },
    );
    expect(files).toEqual(['usr/share/java/a.jar', 'usr/share/java/b.jar']);
  });

  it('not, if it is of a standard library that no package owns', async () => {
    const path = 'usr/local/lib/python3.11/pydoc.py';
    expect(await modulesOf({ ...image, [path]: '    import lazy\n' }, { [path]: 'open' })).toEqual([]);
  });

  it('by its first line, where its name has no suffix', async () => {
    const table = {
      ...image,
      'var/app/run': script('/usr/bin/env python3', '\ndef f():\n    import lazy\n'),
    };
    expect(await modulesOf(table, { 'var/app/run': 'exec' })).toEqual(['lazy.py', 'next.py']);
  });

  it('of Node only where the trace used Node: a web server hands out scripts of browsers', async () => {
    const table = { ...image, 'var/app/main.js': "require('x')", ...node('var/app', { x: {} }) };
    const want = ['var/app/main.js'];
    const isThere = async (trace: Readonly<Record<string, string>>): Promise<boolean> =>
      (await stays(modulesRule, table, { want, trace, granularity: 'package' })).includes(
        'var/app/node_modules/x/package.json',
      );
    expect(await isThere({ 'usr/bin/node': 'exec' })).toBe(true);
    expect(await isThere({ 'usr/bin/python3': 'exec' })).toBe(false);
  });
});

it('what a used package of Node declares stays, without what is optional and was not used', async () => {
  const table = {
    'usr/bin/node': 'ELF',
    ...node('var/app', {
      used: { dependencies: { dep: '1' }, optionalDependencies: { tool: '1' } },
      dep: { optionalDependencies: { binary: '1' } },
      tool: {},
      binary: {},
    }),
    'var/app/node_modules/used/index.js': 'f()',
  };
  const trace = { 'usr/bin/node': 'exec', 'var/app/node_modules/used/index.js': 'open' };
  const files = await stays(modulesRule, table, { trace, granularity: 'package' });
  expect(files.filter((path) => path.endsWith('package.json')).map((path) => path.split('/')[3])).toEqual([
    'binary',
    'dep',
  ]);
});

it.each([
  ['that only a used manifest declares goes', 'f()', '{"dependencies":{"large":"1","small":"1"}}', ['small']],
  ['that a source names stays', "() => require('large')", '{}', ['large']],
  ['that a package declares, which a source names, stays', "() => require('lazy')", '{}', ['large', 'lazy']],
])('a package of more than 8 MiB %s', async (_, source, manifest, packages) => {
  const table = {
    'usr/bin/node': 'ELF',
    'var/app/main.js': source,
    'var/app/package.json': manifest,
    ...node('var/app', { large: {}, small: {}, lazy: { dependencies: { large: '1' } } }),
    'var/app/node_modules/large/lib.js': file(9 * MiB),
  };
  const trace = { 'usr/bin/node': 'exec', 'var/app/main.js': 'open' };
  const files = await stays(modulesRule, table, { trace, granularity: 'package' });
  const manifests = files.filter((path) => path.endsWith('package.json'));
  expect(manifests.map((path) => path.split('/')[3])).toEqual(packages);
});

it('many sources are read with pauses', async () => {
  const chain = Array.from({ length: 1000 }, (_, i) => [`var/app/m${i}.py`, `import m${i + 1}\n`]);
  const input = await inputOf({
    image: Object.fromEntries(chain),
    granularity: 'package',
    trace: { 'var/app/m0.py': 'open' },
  });
  const context = { ...input, isKept: () => true, strengthOf: () => 'needed' as const, usesOf: () => 1 };
  modulesRule.follow?.(p('var/app/m0.py'), context);
  const needs = [...(modulesRule.settle?.(context) ?? [])];
  expect(needs.filter((need) => need !== undefined).length).toBeGreaterThan(900);
  expect(needs.filter((need) => need === undefined).length).toBeGreaterThanOrEqual(10);
});

it('a source of a kept command counts, although no trace shows it', async () => {
  const files = await kept(
    {
      image,
      granularity: 'package',
      trace: { 'usr/bin/python3': 'exec' },
      keepCommands: [['python3', '/var/app/main.py']],
    },
    closureRules({ keep: [] }),
  );
  expect(files).toContain('usr/local/lib/python3.11/site-packages/lazy.txt');
});

it('a named module keeps the tree that it was copied with, if it is in no package', async () => {
  const table = {
    'opt/app/main.py': '    import more\n',
    'opt/more/more.py': '# one\n',
    'opt/more/data': 'x',
  };
  const files = await stays(modulesRule, table, {
    want: ['opt/app/main.py'],
    environment: { PYTHONPATH: '/opt/more' },
    granularity: 'package',
  });
  expect(files).toEqual(['opt/app/main.py', 'opt/more/data', 'opt/more/more.py']);
});

it('a rule or preset may take what is only named', async () => {
  const input = await inputOf({ image, granularity: 'package', trace: { 'var/app/main.py': 'open' } });
  const closure = closeOver(input, closureRules({ keep: [] }));
  const strengths = [...closure.paths()]
    .filter((path) => path.endsWith('/lazy.py'))
    .map((path) => closure.strengthOf(path));
  expect(strengths).toEqual(['whole']);
});

describe('the reason', () => {
  const circumstances = { trace: { 'var/app/main.py': 'open' }, granularity: 'package' } as const;

  it.each([
    ['lazy.py', 'modules: /var/app/main.py names lazy'],
    ['lazy.txt', 'modules: belongs to the python package lazy, since /var/app/main.py names lazy'],
    ['next.py', 'modules: /usr/local/lib/python3.11/site-packages/lazy.py names next'],
    ['last.py', 'goes'],
  ])('of %s is: %s', async (file, reason) => {
    const path = `usr/local/lib/python3.11/site-packages/${file}`;
    expect(await saysOf(modulesRule, image, path, circumstances)).toBe(reason);
  });

  it('stands in --explain', async () => {
    const lines = await reasons(
      { image, granularity: 'package', trace: { 'var/app/main.py': 'open' } },
      closureRules({ keep: [] }),
      'usr/local/lib/python3.11/site-packages/lazy.txt',
    );
    expect(lines.join('\n')).toContain('since /var/app/main.py names lazy');
  });
});
