import { globSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stripElf } from '../../../scripts/release/elf.ts';
import { textFile } from '../../../scripts/release/files.ts';
import { relativeLinks, withoutDeadLinks } from '../../../scripts/release/links.ts';
import { readManifest, repositoryOf, root } from '../../../scripts/release/manifest.ts';
import { manifestForUsers } from '../../../scripts/release/npm-package.ts';

describe('documents in a package', () => {
  const texts = (markdown: string, repository: string | null = null) =>
    withoutDeadLinks(
      [textFile('docs/a.md', markdown), textFile('docs/b.md', ''), textFile('LICENSE', '')],
      repository,
    )
      .slice(0, 1)
      .map(({ bytes }) => Buffer.from(bytes).toString())
      .join('');

  test.each([
    ['of the package', '[b](b.md#part), [all](../docs/) and [free](../LICENSE)'],
    ['of the document', '[part](#part)'],
    ['of the web', '[site](https://ocislim.example/x.md) and [mail](mailto:a@b.example)'],
  ])('keep links to files %s', (_, markdown) => {
    expect(texts(markdown)).toBe(markdown);
  });

  test('lose links that lead to nothing, but not their words', () => {
    expect(
      texts('See [the `test`](../test/a.test.ts#L1) and ![chart](../bench/c.svg)[c [d]](../e.md).'),
    ).toBe('See the `test` and c [d].');
  });

  test('link to the repository, once package.json names it', () => {
    expect(texts('[it](../test/a.ts#L1)', 'https://git.example/ocislim')).toBe(
      '[it](https://git.example/ocislim/blob/HEAD/test/a.ts#L1)',
    );
    const addressOf = (repository: string | { url: string }) =>
      repositoryOf({ ...readManifest(), repository });
    expect(addressOf({ url: 'git+https://git.example/o.git' })).toBe('https://git.example/o');
    expect(addressOf('https://git.example/OWNER/o')).toBeNull();
  });

  test('of this checkout have no dead link', () => {
    const packed = globSync(
      readManifest()
        .files.filter((each) => each !== 'dist')
        .flatMap((each) => [each, `${each}/**`]),
      { cwd: root },
    ).filter((path) => statSync(`${root}${path}`).isFile());
    const files = packed.map((path) => ({ path, mode: 0o644, bytes: readFileSync(`${root}${path}`) }));
    const there = new Set(packed);
    const dead = withoutDeadLinks(files, null)
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap((file) => relativeLinks(file).map((target) => ({ from: file.path, target })))
      .filter(
        ({ target }) =>
          !there.has(target) && !packed.some((path) => path.startsWith(`${target.replace(/\/$/, '')}/`)),
      );
    expect(dead).toEqual([]);
    expect(packed.filter((path) => path.endsWith('.md')).length).toBeGreaterThan(20);
  });
});

test('the package.json of the package has nothing for developers, and the native packages of its version', () => {
  const manifest = readManifest();
  const users = manifestForUsers(manifest, { '@ocislim/native-linux-x64-gnu': manifest.version });
  expect(users).toMatchObject({
    name: 'ocislim',
    version: manifest.version,
    dependencies: manifest.dependencies,
  });
  expect(users).toMatchObject({
    optionalDependencies: { '@ocislim/native-linux-x64-gnu': manifest.version },
  });
  for (const member of ['scripts', 'devDependencies', 'allowScripts'])
    expect(users).not.toHaveProperty(member);
  expect(manifestForUsers(manifest, {})).not.toHaveProperty('optionalDependencies');
});

describe('an ELF file', () => {
  /** A section of a made file: its flags (2 for what is loaded), and its bytes. */
  type Made = readonly [flags: number, bytes: string];

  /** Makes a file with a header, the sections, and the table of their headers. The names are the last section. */
  function makeElf(sections: readonly Made[]): Buffer {
    const all: readonly Made[] = [[0, ''], ...sections, [0, '\0.text\0.shstrtab\0']];
    const head = Buffer.alloc(64);
    head.write('\x7fELF\x02\x01\x01', 'latin1');
    let at = head.length;
    const headers = all.map(([flags, bytes], i) => {
      const header = Buffer.alloc(64);
      header.writeUInt32LE(i === 0 ? 0 : 1, 4);
      header.writeBigUInt64LE(BigInt(flags), 8);
      header.writeBigUInt64LE(BigInt(at), 24);
      header.writeBigUInt64LE(BigInt(bytes.length), 32);
      at += bytes.length;
      return header;
    });
    head.writeBigUInt64LE(BigInt(at), 40);
    head.writeUInt16LE(all.length, 60);
    head.writeUInt16LE(all.length - 1, 62);
    return Buffer.concat([head, ...all.map(([, bytes]) => Buffer.from(bytes)), ...headers]);
  }

  test('loses what is not loaded, and nothing of the rest moves', () => {
    const stripped = Buffer.from(
      stripElf(
        makeElf([
          [2, 'program!'],
          [2, 'constants'],
          [0, 'symbols'.repeat(99)],
        ]),
      ),
    );
    expect(stripped.subarray(64, 81).toString()).toBe('program!constants');
    expect(stripped.includes('symbols')).toBe(false);
    expect(stripped.readUInt16LE(60)).toBe(4);
    const table = Number(stripped.readBigUInt64LE(40));
    const names = table + stripped.readUInt16LE(62) * 64;
    const at = Number(stripped.readBigUInt64LE(names + 24));
    expect(stripped.subarray(at, at + 17).toString()).toBe('\0.text\0.shstrtab\0');
    expect(stripElf(stripped)).toEqual(new Uint8Array(stripped));
  });

  test.each([
    [
      'a loaded section stands behind others',
      makeElf([
        [2, 'a'],
        [0, 'debug'],
        [2, 'b'],
      ]),
    ],
    ['it is none', Buffer.from('#!/bin/sh\nexit 0\n'.repeat(9))],
    ['it has 32 bits', Buffer.concat([Buffer.from('\x7fELF\x01\x01'), Buffer.alloc(100)])],
  ])('is refused where %s', (_, bytes) => {
    expect(() => stripElf(bytes)).toThrow(Error);
  });
});
