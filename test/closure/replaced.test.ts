import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeOver } from '../../src/closure/closure.ts';
import { followChanges } from '../../src/closure/name-changes.ts';
import { listedRule } from '../../src/closure/rules/listed.ts';
import { traceRule } from '../../src/closure/rules/trace.ts';
import { type NameChange, uses } from '../../src/trace/trace.ts';
import { directory, file, hardLink, inputOf, symlink, type Table, text, traceOf } from './rig.ts';
import { b, p } from '../support/bytes.ts';

interface Case {
  readonly image?: Table;
  readonly user?: string;
  readonly trace?: Readonly<Record<string, string>>;
  readonly changes?: readonly NameChange[];
}

/** Returns what stays of an image whose program replaced var/log/app.log, with directories. */
async function kept({ image = {}, user = '', trace = {}, changes = [] }: Case): Promise<readonly string[]> {
  const all: Table = { '.used': 'x', 'var/log/app.log': file(9), ...image };
  const traced = traceOf({ '.used': 'exec', 'var/log/app.log': 'write replaced', ...trace }, { changes });
  const input = await inputOf({ image: all, trace: traced, runtime: { user } });
  const closure = closeOver({ ...input, trace: followChanges(input.fs, traced) }, [traceRule, listedRule]);
  return [...closure.paths()].filter((path) => path !== '' && path !== '.used');
}

const app = { uid: 7, gid: 7 };
const passwd = {
  'etc/passwd': text('root:x:0:0::/:/bin/sh\napp:x:7:7::/:/bin/sh\nappendix:x:8:8::/:/bin/sh\n'),
};
const ofApp: Table = {
  ...passwd,
  'var/log/': directory({ ...app, mode: 0o700 }),
  'var/log/app.log': file(9, { ...app, mode: 0o640 }),
};

describe('a file that was replaced goes, and its directory stays', () => {
  it.each<[string, Case]>([
    ['of root', {}],
    ['that was removed afterwards', { trace: { 'var/log/app.log': 'write link replaced' } }],
    ['whose directory only its owner may write', { image: { 'var/log/': directory({ mode: 0o300 }) } }],
    ['of a user that the config names', { image: ofApp, user: 'app' }],
    ['of a user that the config names with a group', { image: ofApp, user: 'app:root' }],
    ['of a user by number', { image: ofApp, user: '7:0' }],
  ])('such as one %s', async (_, each) => {
    const stays = await kept(each);
    expect(stays.filter((path) => path.startsWith('var'))).toEqual(['var', 'var/log']);
  });

  it('with the symlinks of the directories on the way', async () => {
    const image: Table = { log: symlink('var/logs'), 'var/logs': symlink('log'), 'x/y': 'x' };
    const trace = { 'var/log/app.log': 'write replaced', 'log/app.log': 'write replaced' };
    expect(await kept({ image, trace })).toEqual(['log', 'var', 'var/log', 'var/logs']);
  });

  it('at the top of the image', async () => {
    const trace = { 'app.log': 'write replaced' };
    expect(await kept({ image: { 'app.log': 'x' }, trace })).not.toContain('app.log');
  });
});

describe('a file that was replaced stays', () => {
  const capability = { xattrs: { 'security.capability': 'x' } };
  it.each<[string, Case]>([
    [
      'where another name of it was read',
      { image: { log: symlink('var/log') }, trace: { 'log/app.log': 'open' } },
    ],
    ['where it is used in another way as well', { trace: { 'var/log/app.log': 'write open replaced' } }],
    [
      'where a call failed for another name',
      { image: { log: symlink('var/log') }, trace: { 'log/app.log': 'fail' } },
    ],
    ['where its directory was listed', { trace: { 'var/log': 'list' } }],
    ['that group may write', { image: { 'var/log/app.log': file(9, { mode: 0o664 }) } }],
    ['that all may write', { image: { 'var/log/app.log': file(9, { mode: 0o602 }) } }],
    ['with setuid', { image: { 'var/log/app.log': file(9, { mode: 0o4755 }) } }],
    ['with capabilities', { image: { 'var/log/app.log': file(9, capability) } }],
    [
      'with another name (hard link)',
      { image: { 'var/log/app.log': file(9), 'b.log': hardLink('var/log/app.log') } },
    ],
    ['through a symlink in its place', { image: { 'var/log/app.log': symlink('../x'), 'var/x': 'x' } }],
    ['that is a device', { image: { 'var/log/app.log': { entry: { type: 'char' } } } }],
    ['whose directory has another owner', { image: { 'var/log/': directory(app) } }],
    ['whose owner may not write the directory', { image: { 'var/log/': directory({ mode: 0o555 }) } }],
    ['whose owner is not the user of the image', { image: ofApp }],
    ['whose owner is another user', { image: ofApp, user: 'appendix' }],
    ['of root, where the image has another user', { image: passwd, user: 'app' }],
    ['where the user is not found', { image: { ...ofApp, 'etc/passwd': 'root:x:0:0\n' }, user: 'app' }],
    ['where the image has no users', { user: 'root' }],
    [
      'where the run gave its directory another name before',
      { changes: [{ kind: 'moved', path: b('var/log'), from: b('old') }], image: { 'old/x': 'x' } },
    ],
    [
      'where the run read it by another name',
      {
        changes: [{ kind: 'moved', path: b('new.log'), from: b('var/log/app.log') }],
        trace: { 'new.log': 'open' },
      },
    ],
  ])('such as one %s', async (_, each) => {
    expect(await kept(each)).toContain('var/log/app.log');
  });

  it('with a reason', async () => {
    const trace = { 'var/log/app.log': 'write replaced', 'var/log': 'list' };
    const input = await inputOf({ image: { 'var/log/app.log': 'x' }, trace });
    const closure = closeOver(input, [traceRule, listedRule]);
    expect(closure.why(p('var/log/app.log'))?.rule).toBe('listed');
  });
});

describe('in any image, by any trace', () => {
  const inside = fc.constantFrom('a', 'b', 'd/a', 'd/b', 'd/e/a', 'l/a', 'l/b', 'd/e/../a');
  const attributes = fc.record({
    uid: fc.constantFrom(0, 0, 0, 0, 0, 7),
    mode: fc.constantFrom(0o644, 0o600, 0o755, 0o744, 0o700, 0o666, 0o4755, 0o300),
  });
  const image = fc
    .record({
      files: fc.dictionary(fc.constantFrom('a', 'b', 'd/a', 'd/b', 'd/e/a', 'd/e/b'), attributes, {
        minKeys: 2,
      }),
      directories: fc.dictionary(fc.constantFrom('d/', 'd/e/'), attributes),
      link: fc.constantFrom('d', 'd/e'),
      hard: fc.boolean(),
    })
    .map(({ files, directories, link, hard }): Table => {
      const [first] = Object.keys(files);
      return {
        ...Object.fromEntries(Object.entries(directories).map(([path, each]) => [path, directory(each)])),
        ...Object.fromEntries(Object.entries(files).map(([path, each]) => [path, file(3, each)])),
        l: symlink(link),
        ...(hard && first !== undefined ? { h: hardLink(first) } : {}),
      };
    });
  const words = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('write replaced', 'write link replaced') },
    { weight: 1, arbitrary: fc.constantFrom('write', 'open', 'stat', 'list', 'write open replaced') },
  );
  const traced = fc.dictionary(inside, words, { minKeys: 1 });

  it('only files go that their owner, the user of the image, can create, and nothing else changes', async () => {
    await fc.assert(
      fc.asyncProperty(image, traced, async (table, trace) => {
        const all = { ...trace, '.used': 'exec' };
        const input = await inputOf({ image: { ...table, '.used': 'x' }, trace: all });
        const plain = traceOf(
          Object.fromEntries(Object.entries(all).map(([path, how]) => [path, how.replace(' replaced', '')])),
        );
        const keptBy = (each: typeof input.trace) => [
          ...closeOver({ ...input, trace: each }, [traceRule, listedRule]).paths(),
        ];
        const less = keptBy(input.trace);
        const more = keptBy(plain);
        expect(more).toEqual(expect.arrayContaining([...less]));
        const { fs } = input;
        for (const path of more.filter((each) => !less.includes(each))) {
          const above = p(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
          expect([fs.kind(path), fs.uid(path), fs.uid(above)]).toEqual(['file', 0, 0]);
          expect([fs.mode(path) & 0o7022, fs.mode(above) & 0o300]).toEqual([0, 0o300]);
          expect(fs.names(path)).toEqual([path]);
          expect(less).toContain(above);
          // Every name that leads to it says so.
          const names = [...input.trace.paths].filter(([name]) => fs.resolve(name).path === path);
          expect(names.length).toBeGreaterThan(0);
          for (const [, bits] of names) expect(bits & ~uses.link).toBe(uses.write | uses.replaced);
        }
      }),
    );
  });
});
