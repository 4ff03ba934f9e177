import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { settleDestination, settleSource } from '../../src/jobs/settle-path.ts';
import { formatReference, formOf, parseReference, type Reference } from '../../src/oci/reference.ts';
import { writeLayout } from '../support/image-builder.ts';
import { newFolder, smallImage } from '../support/store/local.ts';

/** Returns the path and the name of a reference, or where the image stands. */
function parts(reference: Reference, folder: string): readonly (string | number | null)[] {
  if (!('path' in reference)) throw new Error(formatReference(reference));
  const { path, position } = reference;
  return [path.replace(`${folder}/`, ''), position ?? formOf(reference).nameOf(reference)];
}

async function refusal(work: Promise<unknown>): Promise<OcislimError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof OcislimError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

describe('a path with colons or "@" in a source', () => {
  test.each<readonly [layouts: readonly string[], text: string, read: readonly (string | number | null)[]]>([
    [['a'], 'oci:a:b:c', ['a', 'b:c']],
    [['a:b'], 'oci:a:b:c', ['a:b', 'c']],
    [['a:b:c'], 'oci:a:b:c', ['a:b:c', null]],
    [['a', 'a:b'], 'oci:a:b:c', ['a', 'b:c']],
    [[], 'oci:a:b:c', ['a', 'b:c']],
    [['10:00/lay'], 'oci:10:00/lay:v1', ['10:00/lay', 'v1']],
    [['job@2/lay'], 'oci:job@2/lay:v1', ['job@2/lay', 'v1']],
    [['job@2'], 'oci:job@2', ['job@2', null]],
    [['job'], 'oci:job@2', ['job', 2]],
    [['job', 'job@2'], 'oci:job@2', ['job', 2]],
    [['job', 'job@2'], 'oci:job@2/', ['job@2/', null]],
    [['10:00/lay'], 'oci:10:00/lay@1', ['10:00/lay', 1]],
  ])('with layouts at %j: %s means %j', async (layouts, text, read) => {
    const folder = await newFolder();
    for (const each of layouts) await writeLayout(join(folder, each), { v1: smallImage() });
    const settled = await settleSource(parseReference(text.replace('oci:', `oci:${folder}/`)));
    expect(parts(settled, folder)).toEqual(read);
    // A result in that place is named so that it is found again.
    const name = formatReference(settled);
    expect(parts(await settleSource(parseReference(name)), folder)).toEqual(read);
  });

  test('goes on to a folder that is a layout where an earlier one is not', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'a'));
    await writeLayout(join(folder, 'a:b'), { c: smallImage() });
    expect(parts(await settleSource(parseReference(`oci:${folder}/a:b:c`)), folder)).toEqual(['a:b', 'c']);
  });

  test('is refused where it is a file for a folder, or a folder for a file', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'x.tar'), '');
    await mkdir(join(folder, 'dir'));
    const file = await refusal(settleSource(parseReference(`oci:${folder}/x.tar:v1`)));
    expect(file.advice).toContain(`oci-archive:${folder}/x.tar:v1`);
    for (const form of ['oci-archive', 'docker-archive']) {
      const refused = await refusal(settleSource(parseReference(`${form}:${folder}/dir`)));
      expect(refused.advice).toContain(`oci:${folder}/dir`);
    }
  });
});

describe('a path with colons or "@" in a destination', () => {
  test.each<readonly [folders: readonly string[], text: string, read: readonly (string | number | null)[]]>([
    [[], 'oci:out:name/with:colons', ['out', 'name/with:colons']],
    [['10:00'], 'oci:10:00/out:v1', ['10:00/out', 'v1']],
    [['10:00/out'], 'oci:10:00/out:v1', ['10:00/out', 'v1']],
    [['a:b'], 'oci:a:b:c', ['a:b', 'c']],
    [['job@2'], 'oci:job@2', ['job@2', null]],
    [['job@2'], 'oci:job@2/new:x', ['job@2/new', 'x']],
    [[], 'oci:job@2/', ['job@2/', null]],
    [[], 'oci:x.tar/:v1', ['x.tar/', 'v1']],
    [['10:00'], 'docker-archive:10:00/x.tar:app:1', ['10:00/x.tar', 'app:1']],
    [['job@2'], 'oci-archive:job@2/x.tar:v1', ['job@2/x.tar', 'v1']],
    [[], 'oci-archive:x@2:v1', ['x@2', 'v1']],
  ])('with folders at %j: %s means %j', async (folders, text, read) => {
    const folder = await newFolder();
    for (const each of folders) await mkdir(join(folder, each), { recursive: true });
    const at = text.indexOf(':') + 1;
    const reference = parseReference(`${text.slice(0, at)}${folder}/${text.slice(at)}`);
    expect(parts(await settleDestination(reference), folder)).toEqual(read);
  });

  test.each([
    ['oci:lay@2', /no position yet/, /oci:\S+lay:TAG, or oci:\S+lay@2\//],
    ['oci-archive:x.tar@2', /no position yet/, /oci-archive:\S+x.tar:TAG/],
    ['oci:a:/b:c', /no folder tells where the path ends/, /make the folder "\S+a:" first/],
    ['oci:x.tar:v1', /is named as an archive/, /oci-archive:\S+x.tar:v1, or oci:\S+x.tar\//],
    ['oci:x.tar.gz', /is named as an archive/, /oci-archive:\S+x.tar.gz/],
  ])('is refused where it would be a surprise: %s', async (text, message, advice) => {
    const folder = await newFolder();
    const at = text.indexOf(':') + 1;
    const reference = parseReference(`${text.slice(0, at)}${folder}/${text.slice(at)}`);
    const error = await refusal(settleDestination(reference));
    expect([error.code, error.message, error.advice]).toEqual([
      'REFERENCE_INVALID',
      expect.stringMatching(message),
      expect.stringMatching(advice),
    ]);
  });
});

describe('a name that no image can have is said to be one, where the path ends before it:', () => {
  test.each([
    ['docker-archive:x.tar:Bad:1', /"Bad".*|lower case/, 'docker-archive:DIR/x.tar:bad:1'],
    ['docker-archive:x.tar:Bad', /lower case/, 'docker-archive:DIR/x.tar:bad'],
    ['docker-archive:x.tar:Team/App', /lower case/, 'docker-archive:DIR/x.tar:team/app'],
    [
      'docker-archive:x.tar:localhost:5000/App:V1',
      /lower case/,
      'docker-archive:DIR/x.tar:localhost:5000/app:V1',
    ],
    [
      `docker-archive:x.tar:Team/App@sha256:${'0a'.repeat(32)}`,
      /lower case/,
      'docker-archive:DIR/x.tar:team/app',
    ],
    ['docker-archive:saved:App:1', /lower case/, 'docker-archive:DIR/saved:app:1'],
    ['docker-archive:x.tar:ü:1', /"ü" is not a repository name/, 'lower-case letters (a to z)'],
    ['docker-archive:x.tar:a b:1', /"a b" is not a repository name/, 'lower-case letters (a to z)'],
    ['oci-archive:x.tar:ü:1', /"ü:1" is not a tag/, 'A tag begins'],
    ['oci:lay:ü:1', /"ü:1" is not a tag/, 'A tag begins'],
    ['oci:lay:-x:1', /"-x:1" is not a tag/, 'A tag begins'],
  ])('in %s', async (text, message, advice) => {
    const folder = await newFolder();
    await mkdir(join(folder, 'lay'));
    await writeFile(join(folder, 'saved'), '');
    const at = text.indexOf(':') + 1;
    const settled = async (settle: typeof settleSource) =>
      settle(parseReference(`${text.slice(0, at)}${folder}/${text.slice(at)}`));
    for (const settle of [settleSource, settleDestination]) {
      const error = await refusal(settled(settle));
      expect(error.message).not.toContain('latest');
      expect([error.code, error.message, error.advice]).toEqual([
        'REFERENCE_INVALID',
        expect.stringMatching(message),
        expect.stringContaining(advice.replace('DIR', folder)),
      ]);
    }
  });
});
