import { describe, expect, test } from 'vitest';
import { parseBuiltPlatform, parseLayer, parseOwner, parseTime } from '../../src/settings/given-layer.ts';

const nothing = {
  form: null,
  destination: null,
  into: false,
  owner: null,
  mode: null,
  mtime: null,
  createdBy: null,
};

describe('a layer is read', () => {
  test.each<[string, object]>([
    ['dist', { source: 'dist' }],
    ['dist:/app', { source: 'dist', destination: 'app' }],
    ['dist:/', { source: 'dist', destination: '', into: true }],
    ['a:b:/app/', { source: 'a:b', destination: 'app', into: true }],
    ['file:x.tar:/data/', { form: 'file', source: 'x.tar', destination: 'data', into: true }],
    ['tar:x', { form: 'tar', source: 'x' }],
    [
      'd:/a,chown=5,chmod=644,mtime=keep',
      {
        source: 'd',
        destination: 'a',
        owner: { uid: 5, gid: 5 },
        mode: { kind: 'octal', mode: 0o644 },
        mtime: 'keep',
      },
    ],
    ['a,b:/c,created-by=it, all of it', { source: 'a,b', destination: 'c', createdBy: 'it, all of it' }],
    ['d,chown=keep', { source: 'd', owner: 'keep' }],
  ])('of %s', (text, wanted) => {
    expect(parseLayer(text, '--layer')).toEqual({ ...nothing, text, ...wanted });
  });

  test('with clauses of chmod, which have commas too', () => {
    const { mode, mtime } = parseLayer('d:/a,chmod=u=rwX,go=rX,mtime=1', '--layer');
    expect(mode).toMatchObject({ kind: 'symbolic', clauses: [{ classes: 'u' }, { classes: 'go' }] });
    expect(mtime).toBe(1);
  });

  test.each(['', ':/app', 'd:/../x', 'd:/a,chown=root', 'd:/a,chmod=9', 'd:/a,mtime=then'])(
    '%j is refused',
    (text) => {
      expect(() => parseLayer(text, '--layer')).toThrow(/--layer/);
    },
  );
});

test('a platform may have a layer of its own', () => {
  expect(parseBuiltPlatform('linux/arm64=out:/bin', '--platform')).toEqual({
    os: 'linux',
    architecture: 'arm64',
    layer: { ...nothing, text: 'out:/bin', source: 'out', destination: 'bin' },
  });
  expect(parseBuiltPlatform('amd64', '--platform')).toEqual({
    os: 'linux',
    architecture: 'amd64',
    layer: null,
  });
});

test('owners and times are numbers, and what is near is refused', () => {
  expect(parseOwner('1:2', '--chown')).toEqual({ uid: 1, gid: 2 });
  for (const text of ['', 'root', '1:', ':1', '-1', '4294967295', '1:2:3'])
    expect(() => parseOwner(text, '--chown')).toThrow();
  expect(parseTime('2026-11-30T12:00:00Z', '--mtime')).toBe(1_796_040_000);
  expect(parseTime('1970-01-02', '--mtime')).toBe(86_400);
  for (const text of ['', 'now', '-1', '2026-13-01', '12:00'])
    expect(() => parseTime(text, '--mtime')).toThrow();
});

test.each([
  ['f.txt:/a,owner=5', 'Write ,chown=… behind the path.'],
  ['f.txt:/a,CHOWN=5', 'Write ,chown=… behind the path.'],
  ['f.txt:/a, chown=5', 'Write ,chown=… behind the path.'],
  ['f.txt:/a,chwon=5', 'Write ,chown=… behind the path.'],
  ['d:/a,chown=5,mode=3', 'Write ,chmod=… behind the path.'],
  ['d:/a,linux=x', 'Write ,chown= ,chmod= ,mtime= ,created-by= behind its path.'],
])('a slip behind the path of a layer is refused: %s', (text, advice) => {
  expect(() => parseLayer(text, '--layer')).toThrow(
    expect.objectContaining({ code: 'USAGE', advice: expect.stringContaining(advice) as string }) as Error,
  );
});

test('platforms with layers of their own are given one by one', () => {
  expect(() => parseBuiltPlatform('linux/amd64=site:/s,linux/arm64=out', '--platform')).toThrow(
    expect.objectContaining({ code: 'USAGE', advice: 'Write --platform once for each.' }) as Error,
  );
});

test('a wish is given once, and the text of created-by may hold commas', () => {
  expect(() => parseLayer('d:/a,chown=5,chown=6', '--layer')).toThrow(/given twice/);
  expect(parseLayer('d:/a,chmod=u=rwX,go=rX,mtime=1', '--layer')).toMatchObject({ mtime: 1 });
  expect(parseLayer('d:/a,created-by=RUN x,y=1, z=2', '--layer').createdBy).toBe('RUN x,y=1, z=2');
});
