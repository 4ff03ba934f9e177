/**
 * The target of references to images and of what messages show. A reference that is accepted is read back as the
 * same, and no shown text drives a terminal.
 */
import { parseLayer, parseRange } from '../../src/image/selection.ts';
import { isDigest } from '../../src/oci/digest.ts';
import { formatPlatform, matchesPlatform, parsePlatform } from '../../src/oci/platform.ts';
import { formatReference, parseReference } from '../../src/oci/reference.ts';
import { parsePercentOrSize, parseSize } from '../../src/settings/sizes.ts';
import { displayPath, escapeText, safeJson } from '../../src/report/escape.ts';
import { printable } from '../../src/registry/printable.ts';
import { mirrored, parseMirrors } from '../../src/registry/mirrors.ts';
import { cleanPath, quotePath } from '../../src/bytes/path.ts';
import { flood } from '../mutate.ts';
import { holds, neverThrows, outcomeNow, same, type Target } from '../target.ts';
import { KiB } from '../../src/units.ts';
import { b } from '../../test/support/bytes.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

function checkReference(text: string): void {
  const outcome = outcomeNow(() => parseReference(text));
  if (outcome.kind === 'refused') return;
  const reference = outcome.value;
  same(
    parseReference(formatReference(reference)),
    reference,
    'written and read again it is another reference',
  );
  if ('digest' in reference)
    holds(reference.digest === null || isDigest(reference.digest), 'a digest that is none');
  if (reference.kind !== 'registry') return;
  const { host, repository, tag } = reference;
  holds(!/[/\\@?#\s]|\.\./.test(host), 'a host with a character that no host has');
  holds(
    /^[a-z0-9][a-z0-9._/-]*$/.test(repository) && !repository.split('/').some((part) => /^\.*$/.test(part)),
    'a repository that leaves its place',
  );
  holds(tag === null || /^\w[\w.-]*$/.test(tag), 'a tag that is none');
  const url = new URL(`https://${host}/v2/${repository}/manifests/${tag ?? 'latest'}`);
  holds(url.pathname === `/v2/${repository}/manifests/${tag ?? 'latest'}`, 'the URL has another path');
  outcomeNow(() => {
    for (const [from, list] of parseMirrors([`docker.io=${text}`]))
      for (const each of list) mirrored({ ...reference, host: from }, each);
  });
}

/** Checks that a shown text cannot move a cursor, hide, or begin a command. */
function checkShown(text: string): void {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const shown = [
    escapeText(text),
    displayPath(b(bytes)),
    safeJson(text),
    printable(text),
    quotePath(b(bytes)),
  ];
  for (const [i, each] of shown.entries()) {
    holds(
      !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(each),
      `a control character is shown (${i})`,
    );
    if (i < 3) holds(!/##\w*\[|^ *::/.test(each), `a command of a CI service is shown (${i})`);
  }
  same(JSON.parse(safeJson(text)), text, 'safeJson is of another value');
}

function checkPath(name: string): void {
  const outcome = outcomeNow(() => cleanPath(b(name)));
  if (outcome.kind === 'refused') return;
  const path = outcome.value;
  holds(
    path === '' || path.split('/').every((part) => !['', '.', '..'].includes(part)),
    'a path that is not clean',
  );
  holds(cleanPath(path) === path, 'a clean path is cleaned further');
  const plain = name.split('/').filter((part) => part !== '' && part !== '.');
  holds(plain.join('/') === path, 'another path than that of its names');
}

export const target: Target = {
  name: 'reference',
  invariant:
    'references, platforms and paths survive being written and read again, and name no other place; whatever is shown is harmless',
  seeds: () =>
    [
      'app',
      'docker.io/library/app:1.0',
      `registry.example:5000/a/b_c/d--e:tag@${digest}`,
      'localhost/app',
      '[::1]:5000/app',
      'docker://quay.io/org/app@' + digest,
      'oci:dir/layout:tag',
      `oci:/var/lib/x:1@${digest}`,
      'oci-archive:file.tar:name/with/slash',
      'docker-archive:file.tar:app:latest',
      'docker.io=mirror.example:5000/prefix',
      'linux/arm64/v8',
      'linux/amd64',
      '3..7',
      '5..',
      '512MiB',
      '1.5 GB',
      '2.5%',
      './a//b/../c/',
      'a\u202eb\x1b[2J ::set-output ##vso[task',
    ].map((text) => Buffer.from(text)),
  dictionary: [
    '/',
    ':',
    '@',
    '..',
    './',
    '//',
    'sha256:',
    'docker://',
    'oci:',
    'oci-archive:',
    'docker-archive:',
    '[::1]',
    '.wh.',
    '\0',
    '\n',
    '\x1b[',
    '::',
    '##[',
    '\xe2\x80\xae',
    '=',
    '%',
    digest,
  ],
  mutators: [flood],
  maxBytes: 64 * KiB,
  run: (bytes) => {
    const text = Buffer.from(bytes).toString();
    checkReference(text);
    checkShown(text);
    checkPath(Buffer.from(bytes).toString('latin1'));
    const platform = outcomeNow(() => parsePlatform(text));
    if (platform.kind === 'accepted') {
      same(
        parsePlatform(formatPlatform(platform.value)),
        platform.value,
        'written and read again it is another platform',
      );
      holds(matchesPlatform(platform.value, platform.value), 'a platform that does not match itself');
    }
    outcomeNow(() => parseRange(text));
    outcomeNow(() => parseLayer(text));
    const size = outcomeNow(() => parseSize(text, '--size'));
    if (size.kind === 'accepted')
      holds(Number.isSafeInteger(size.value) && size.value >= 0, 'a size that is none');
    outcomeNow(() => parsePercentOrSize(text, '--size'));
    neverThrows('isDigest', () => isDigest(text));
  },
};
