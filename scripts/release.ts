/**
 * Makes everything that a release consists of: `npm run release -- --out DIR`. docs/releasing.md says what that is, and what the
 * options are for. The same sources give the same bytes, at any time and in any folder.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nativePlatforms } from '../src/codec/native-platform.ts';
import { digestOf, hexOf } from '../src/oci/digest.ts';
import { formatSize } from '../src/units.ts';
import { makeRelease } from './release/make-release.ts';
import { readManifest, root } from './release/manifest.ts';
import { buildablePlatforms } from './release/native.ts';
import { architectures } from './release/runtimes.ts';
import { sourceDate } from './release/source-date.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    architecture: { type: 'string', default: architectures.join(',') },
    native: { type: 'string' },
    quick: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    'native-built': { type: 'boolean', default: false },
  },
});

/** Reads a list of names, or `all` or `none` of them. @throws Error for a name that is not known */
function namesIn<Name extends string>(text: string, known: readonly Name[]): readonly Name[] {
  if (text === 'none') return [];
  if (text === 'all') return known;
  return text.split(',').map((given) => {
    const name = known.find((each) => each === given);
    if (name === undefined) throw new Error(`${given} is not one of ${known.join(', ')}, all, none`);
    return name;
  });
}

async function release(out: string): Promise<void> {
  const tell = (line: string) => process.stdout.write(`${line}\n`);
  if (!values.built)
    execFileSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  mkdirSync(out, { recursive: true });
  const sums: string[] = [];
  const files = makeRelease({
    architectures: namesIn(values.architecture, architectures),
    native: values.native === undefined ? buildablePlatforms() : namesIn(values.native, nativePlatforms),
    isNativeBuilt: values['native-built'],
    effort: values.quick ? 'quick' : 'small',
    mtime: sourceDate(),
    tell,
  });
  tell(`ocislim ${readManifest().version}`);
  for await (const { path, mode, bytes } of files) {
    writeFileSync(join(out, path), bytes, { mode });
    sums.push(`${hexOf(digestOf(bytes))}  ${path}\n`);
    tell(`${formatSize(bytes.length).padStart(9)}  ${path}`);
  }
  writeFileSync(
    join(out, 'SHA256SUMS'),
    sums.toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join(''),
  );
}

if (values.out === undefined) {
  process.stderr.write('usage: npm run release -- --out DIR\n');
  process.exitCode = 2;
} else await release(values.out);
