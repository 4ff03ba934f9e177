import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands/all.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const bin = join(root, 'bin/ocislim');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function node(...args: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({
        status: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        stdout,
        stderr,
      });
    });
  });
}

describe('the executable', () => {
  it('says that a Node is too old, and where the checkout has another', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocislim-project-'));
    try {
      const pretend = join(folder, 'pretend.cjs');
      await writeFile(
        pretend,
        "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });\n",
      );
      const { status, stdout, stderr } = await node('-r', pretend, bin, '--help');
      expect(stderr).toMatch(/^ocislim needs Node 24 or newer; this is Node 20\.20\.2 \(.+\)\n/);
      expect(stderr.split('\n').slice(1)).toEqual([
        expect.stringMatching(
          /^This checkout has a newer one: put \/.+\/node_modules\/node\/bin first in PATH/,
        ),
        '',
      ]);
      expect(stdout).toBe('');
      expect(status).toBe(2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is written in what an old Node can read', () => {
    // Nothing newer than dynamic import: a syntax error would come before the message.
    expect(read('bin/ocislim')).not.toMatch(/^import |\?\?=|#[a-z]+;|await import/m);
    expect(JSON.parse(read('bin/package.json'))).toEqual({ type: 'commonjs' });
  });

  it('lists every command', async () => {
    const { status, stdout } = await node(bin, '--help');
    expect(status).toBe(0);
    for (const { name } of commands) expect(stdout).toContain(`\n  ${name} `);
  });

  it('knows its version', async () => {
    const { stdout } = await node(bin, '--version');
    expect(stdout).toBe(`${(JSON.parse(read('package.json')) as { version: string }).version}\n`);
  });
});

describe('the package', () => {
  /** Returns the files of a clone. */
  const files = (folder = ''): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const name = join(folder, entry.name);
      if (['node_modules', 'dist', '.git', 'coverage', 'out', 'target', 'npm'].includes(entry.name))
        return [];
      return entry.isDirectory() ? files(name) : entry.isFile() ? [name] : [];
    });

  it('mentions no folder or registry of the machine that it was written on', () => {
    // These are put together here, so that this file does not mention them either.
    const strange = ['/wo rk/', '../sha red', 'registry.npm js', 'pypi. org', 'deb.debian. org'].map(glue);
    const listed = files().filter((name) =>
      /\.(?:ts|md|json|sh|py|yml|yaml|svg|html)$|^[^.]+$|^\.[a-z]+/.test(name),
    );
    expect(listed.length).toBeGreaterThan(100);
    const found = listed.flatMap((name) => {
      const text = read(name);
      return strange.filter((word) => text.includes(word)).map((word) => `${name}: ${word}`);
    });
    expect(found).toEqual([]);
  });

  it('has a lock that holds no addresses, and pins libdeflate exactly', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    expect(dependencies['libdeflate']).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('declares every package that the sources import', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).toEqual([
      '@cyclonedx/cyclonedx-library',
      '@noble/ciphers',
      'diff',
      'libdeflate',
      'node-forge',
      'pako',
      'string-width',
      'undici',
      'yaml',
      'zod',
    ]);
  });

  it('has no unfinished corners', () => {
    const marks = new RegExp(
      [
        '(?://|\\*|#) ?(?:TO',
        'DO|FIX',
        'ME|XX',
        'X)\\b|\\b(?:it|test|describe)\\.(?:sk',
        'ip|on',
        'ly)\\(',
      ].join(''),
    );
    const found = files().filter((name) => /\.(?:ts|sh|py)$/.test(name) && marks.test(read(name)));
    expect(found).toEqual([]);
  });
});

/** Removes the blank that keeps a word out of this file. */
function glue(word: string): string {
  return word.replace(' ', '');
}
