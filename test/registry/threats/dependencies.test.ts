import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const require = createRequire(import.meta.url);
const numbers = (version: string): readonly number[] => version.split('.').map(Number);

/** Returns whether a version is `floor` or newer. */
function reaches(version: string, floor: string): boolean {
  const [a, b] = [numbers(version), numbers(floor)];
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 || (a[at] ?? 0) > (b[at] ?? 0);
}

// Credentials over redirects: CVE-2022-31150, CVE-2023-45143, CVE-2024-24758, CVE-2024-30260; chains of
// Content-Encoding without end: CVE-2026-22036. All are mended in 8.
const floor = '8.0.0';

test('N19: undici is one without known holes, the range of the package and the one installed', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const range = /^\^(\d+\.\d+\.\d+)$/.exec(dependencies['undici'] ?? '')?.[1];
  expect(range !== undefined && reaches(range, floor)).toBe(true);
  const installed = (require('undici/package.json') as { version: string }).version;
  expect(reaches(installed, range ?? '')).toBe(true);
  expect(reaches('7.18.2', floor)).toBe(false);
  expect(reaches('10.0.0', '9.9.9')).toBe(true);
});

test('N19: of undici only plain requests are used: nothing that follows redirects, decodes or retries by itself', () => {
  const folder = join(root, 'src');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  expect(sources.length).toBeGreaterThan(100);
  const using = sources.filter((name) => / from 'undici'/.test(readFileSync(join(folder, name), 'utf8')));
  expect(using.length).toBeGreaterThan(0);
  for (const name of sources) {
    const text = readFileSync(join(folder, name), 'utf8');
    const imported = [...text.matchAll(/import (?:type )?\{([^}]*)\} from 'undici'/g)].map(
      ([, list]) => list ?? '',
    );
    for (const each of imported.join(',').split(',')) {
      const what = each.replace(/^\s*type\s/, '').trim();
      expect([
        '',
        'Agent',
        'Dispatcher',
        'Client',
        'Pool',
        'ProxyAgent',
        'EnvHttpProxyAgent',
        'buildConnector',
      ]).toContain(what);
    }
    expect(text, name).not.toMatch(
      /(?<![.\w])fetch\(['"`]?http|globalThis\.fetch|\.compose\(|interceptors\./,
    );
  }
});
