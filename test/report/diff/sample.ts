/** Comparisons of two small images. The tests of renderers take one with plain names, and one whose every text is hostile. */
import type { ImageDiff } from '../../../src/analyze/diff/image-diff.ts';
import type { DiffOptions } from '../../../src/jobs/compare/diff.ts';
import { compareTrees } from '../../support/diff-images.ts';
import { nasty, nastyName } from '../../support/hostile-text.ts';
import { buildImage } from '../../support/image-builder.ts';
import { utf8 } from '../../support/model/byte-string.ts';
import { tar } from '../../support/model/shorthand.ts';

const stanza = (version: string, name = 'curl') =>
  `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nStatus: install ok installed\n\n`;

const before = buildImage({
  compress: 'none',
  layers: [
    tar(
      'bin/',
      { name: 'bin/app', body: new Uint8Array(30_000).fill(65), mode: 0o755, mtime: '1700000000' },
      { name: 'etc/motd', body: new TextEncoder().encode('hello\nworld\n'), mtime: '1700000000' },
      `var/lib/dpkg/status=${stanza('7.9-1')}`,
      'var/lib/dpkg/info/curl.list=/bin/app\n',
    ),
    tar('old=old'),
  ],
  config: { config: { Env: ['PATH=/bin'], User: 'root' } },
});

const after = buildImage({
  compress: 'none',
  layers: [
    tar(
      'bin/',
      { name: 'bin/app', body: new Uint8Array(40_000).fill(66), mode: 0o755, mtime: '1700000000' },
      {
        name: 'etc/motd',
        body: new TextEncoder().encode('hello\nthere\n'),
        mode: 0o600,
        mtime: '1700000100',
      },
      `var/lib/dpkg/status=${stanza('7.10-1')}`,
      'var/lib/dpkg/info/curl.list=/bin/app\n',
      'new=new',
    ),
    tar('old=old'),
  ],
  config: { config: { Env: ['PATH=/bin:/sbin'] } },
});

/** Compares an image with its next version. */
export async function sampleDiff(options: Partial<DiffOptions> = {}): Promise<ImageDiff> {
  return (await compareTrees(before, after, options)).diff;
}

/** Compares two images whose every name and text is hostile. */
export async function hostileDiff(options: Partial<DiffOptions> = {}): Promise<ImageDiff> {
  const name = utf8(nastyName);
  const line = utf8(nasty.replaceAll(/[\r\n]+/g, '\t'));
  const image = (seed: string) =>
    buildImage({
      layers: [
        tar(
          { name: `${seed}/${name}`, body: new TextEncoder().encode(seed) },
          {
            name: `app/${name}\xff`,
            body: new TextEncoder().encode(`${nasty}\n\`\`\`\n\`\`\`\`\`\n  \`\`\`\`\n${seed}\n<b>\n`),
            uname: line,
            xattrs: { [`user.${line}`]: seed },
          },
          { name: `link-${name}`, type: 'symlink', linkname: `${name}${seed}` },
          `var/lib/dpkg/status=${stanza(`1${line}${seed}`, line)}`,
          { name: `var/lib/dpkg/info/${name}.list`, body: new TextEncoder().encode('/bin/x\n') },
        ),
      ],
      annotations: { [nasty]: nasty + seed },
      config: {
        author: nasty + seed,
        config: { Env: [`${nasty}=${nasty}${seed}`], Labels: { [nasty]: nasty + seed }, Cmd: [nasty, seed] },
        history: [{ created_by: nasty + seed, [nasty]: seed }],
      },
    });
  const source = { label: nasty };
  return (await compareTrees(image('one'), image('two'), { ...options, source })).diff;
}
