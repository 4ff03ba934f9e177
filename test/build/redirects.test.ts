import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type Path, root } from '../../src/bytes/path.ts';
import { EntryNames, findRedirects, type LinkView } from '../../src/build/redirects.ts';
import { walk } from '../../src/build/walk.ts';
import { OcislimError } from '../../src/errors.ts';
import { p } from '../support/bytes.ts';
import { runs } from '../support/extent.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Makes a directory with empty files. What ends with a slash is a directory. */
function folderOf(paths: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-redirects-'));
  folders.push(folder);
  for (const path of paths) {
    mkdirSync(path.endsWith('/') ? join(folder, path) : dirname(join(folder, path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(folder, path), path);
  }
  return folder;
}

/** An image as the test knows it: directories, and symlinks to absolute paths. */
class Image implements LinkView {
  readonly #directories: ReadonlySet<string>;
  readonly #links: ReadonlyMap<string, string>;

  constructor(directories: readonly string[], links: Readonly<Record<string, string>>) {
    this.#directories = new Set(['', ...directories]);
    this.#links = new Map(Object.entries(links));
  }

  *symlinks(directory: Path): Generator<Path> {
    for (const link of this.#links.keys())
      if (directory === root || link.startsWith(`${directory}/`)) yield p(link);
  }

  directoryAt(link: Path): Path | null {
    let at: string | undefined = link;
    for (let i = 0; at !== undefined && i < 9; i++) {
      if (this.#directories.has(at)) return p(at);
      at = this.#links.get(at);
    }
    return null;
  }

  /** Walks a path part by part: the meaning that the code must have. */
  lead(path: string): string {
    const slash = path.lastIndexOf('/');
    const above = slash < 0 ? '' : this.lead(path.slice(0, slash));
    const whole = above === '' ? path.slice(slash + 1) : `${above}/${path.slice(slash + 1)}`;
    return this.#links.has(whole) ? (this.directoryAt(p(whole)) ?? whole) : whole;
  }
}

/** Returns the names that the files of a directory get. */
function namesOf(folder: string, image: Image, destination = root): Readonly<Record<string, string | null>> {
  const redirects = findRedirects(folder, destination, image);
  const names = new EntryNames(Buffer.from(folder), { destination, redirects }, () => false);
  return Object.fromEntries([...walk(Buffer.from(folder), null)].map((file) => [file.path, names.of(file)]));
}

const merged = new Image(
  ['usr', 'usr/bin', 'usr/lib', 'usr/local', 'usr/local/share', 'usr/local/share/man', 'run'],
  {
    bin: 'usr/bin',
    lib: 'usr/lib',
    'var/run': 'run',
    'usr/bin/X11': 'usr/bin',
    'usr/local/man': 'usr/local/share/man',
    'usr/file': 'usr/none',
  },
);

describe('a directory that the image has as a symlink', () => {
  test('gives what is in it to where the symlink leads, and has no entry', () => {
    expect(namesOf(folderOf(['bin/tool', 'lib/sub/x', 'etc/y', 'var/run/z']), merged)).toEqual({
      bin: null,
      'bin/tool': 'usr/bin/tool',
      lib: null,
      'lib/sub': 'usr/lib/sub',
      'lib/sub/x': 'usr/lib/sub/x',
      etc: 'etc',
      'etc/y': 'etc/y',
      var: 'var',
      'var/run': null,
      'var/run/z': 'run/z',
    });
  });

  test('is found below a destination, and within another one', () => {
    const found = namesOf(folderOf(['local/man/page', 'bin/X11/X11/x']), merged, p('usr'));
    expect(found['local/man/page']).toBe('usr/local/share/man/page');
    expect(found['bin/X11/X11/x']).toBe('usr/bin/x');
    expect(namesOf(folderOf(['bin/X11/x']), merged)['bin/X11/x']).toBe('usr/bin/x');
  });

  test('that leads to no directory is replaced, and so is one by a file', () => {
    expect(namesOf(folderOf(['usr/file/x', 'lib']), merged)).toEqual({
      usr: 'usr',
      'usr/file': 'usr/file',
      'usr/file/x': 'usr/file/x',
      lib: 'lib',
    });
  });

  test('may be beside the directory that it leads to, but two files cannot become one', () => {
    expect(namesOf(folderOf(['bin/sub/a', 'usr/bin/sub/b']), merged)).toMatchObject({
      'bin/sub': null,
      'bin/sub/a': 'usr/bin/sub/a',
      'usr/bin/sub': 'usr/bin/sub',
    });
    expect(() => namesOf(folderOf(['bin/a', 'usr/bin/a']), merged)).toThrow('two files become "usr/bin/a"');
  });
});

const part = fc.constantFrom('a', 'b', 'c');
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

test('law: each file is where its path leads in the image, each name occurs once, and no symlink is replaced by a directory', () => {
  const image = fc.record({
    directories: fc.uniqueArray(path, { maxLength: 6 }),
    links: fc.dictionary(path, path, { maxKeys: 4 }),
  });
  fc.assert(
    fc.property(
      image,
      fc.uniqueArray(path, { minLength: 1, maxLength: 8 }),
      ({ directories, links }, files) => {
        const all = directories.flatMap((each) =>
          each.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/')),
        );
        // A symlink has nothing below it, and stands in directories.
        const isFree = (link: string) =>
          !all.some((each) => each === link || each.startsWith(`${link}/`)) &&
          Object.keys(links).every((other) => other === link || !link.startsWith(`${other}/`));
        const free = Object.fromEntries(Object.entries(links).filter(([link]) => isFree(link)));
        const above = Object.keys(free).flatMap((link) =>
          link
            .split('/')
            .slice(0, -1)
            .map((_, i, parts) => parts.slice(0, i + 1).join('/')),
        );
        const model = new Image([...all, ...above], free);
        const leaves = files.filter((file) => !files.some((other) => other.startsWith(`${file}/`)));
        const folder = folderOf(leaves);
        const wanted = leaves.map((file) => {
          const [, above = '', name = ''] = /^(?:(.*)\/)?([^/]+)$/.exec(file) ?? [];
          return [file, [model.lead(above), name].filter((each) => each !== '').join('/')] as const;
        });
        const isClear = new Set(wanted.map(([, name]) => name)).size === wanted.length;
        try {
          const names = namesOf(folder, model);
          for (const [file, name] of wanted) expect(names[file], file).toBe(name);
          const given = Object.values(names).filter((name) => name !== null);
          expect(new Set(given).size).toBe(given.length);
          expect(isClear).toBe(true);
        } catch (error) {
          // Two files of one name, or a file where another path has a directory.
          if (!(error instanceof OcislimError)) throw error;
          expect(error.code).toBe('LAYER_INVALID');
          const inWay = wanted.some(([, name]) => wanted.some(([, other]) => other.startsWith(`${name}/`)));
          expect(isClear && !inWay && !clashes(folder, model, wanted)).toBe(false);
        }
      },
    ),
    { numRuns: runs(100, 400) },
  );
});

/** Returns whether a file gets the name of a directory. */
function clashes(folder: string, model: Image, wanted: readonly (readonly [string, string])[]): boolean {
  const directories = [...walk(Buffer.from(folder), null)].flatMap(({ kind, path }) =>
    kind === 'directory' ? model.lead(path) : [],
  );
  return wanted.some(([, name]) => directories.includes(name));
}
