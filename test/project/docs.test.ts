import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { renderTable, withTable } from '../../bench/trace/table.ts';
import { renderChart } from '../../scripts/measure.ts';
import { warningPages } from '../../scripts/warnings.ts';
import { renderPages } from '../../scripts/write-docs.ts';
import { commands } from '../../src/cli/commands/all.ts';
import { errorCodes } from '../../src/errors.ts';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');

describe('pages', () => {
  it.each(Object.entries(renderPages()))('%s is what "npm run docs" writes', (file, content) => {
    expect(read(file)).toBe(content);
  });

  it('exist for commands that exist, and for no others', () => {
    const files = readdirSync(fileURLToPath(new URL('docs/commands', root)));
    expect(files.sort()).toEqual(['README.md', ...commands.map(({ name }) => `${name}.md`)].sort());
  });

  it('show the chart of the figures that lie beside it', () => {
    const figures = JSON.parse(read('docs/sizes.json')) as Parameters<typeof renderChart>[0];
    expect(read('docs/sizes.svg')).toBe(renderChart(figures));
  });

  it('show the table of what was measured of pruning by traces', () => {
    const results = JSON.parse(read('bench/trace/results.json')) as Parameters<typeof renderTable>[0];
    expect(withTable(read('docs/measurements.md'), renderTable(results))).toBe(read('docs/measurements.md'));
  });

  it('are linked from the README', () => {
    const readme = read('README.md');
    for (const { name } of commands) expect(readme).toContain(`docs/commands/${name}.md`);
  });
});

describe('errors', () => {
  const used = new Set(
    sources('src').flatMap((source) =>
      [...source.matchAll(/'([A-Z][A-Z_]+)'/g)].map((match) => match[1] as string),
    ),
  );

  it.each(Object.entries(errorCodes))(
    '%s has an exit status, a sentence, and is thrown somewhere',
    (code, { exit, doc }) => {
      expect([1, 2, 3, 4, 5, 130]).toContain(exit);
      expect(doc).toMatch(/^(?:[A-Z]|ocislim ).+\.$|^A bug/);
      expect(read('docs/errors.md')).toContain(`| \`${code}\` | ${exit} |`);
      expect(used).toContain(code);
    },
  );

  it('have the exit statuses that errors.md tells of', () => {
    const told = [...read('docs/errors.md').matchAll(/^\| (\d+)(?:, (\d+))? \|/gm)].flatMap(([, a, b]) => [
      a,
      b,
    ]);
    for (const { exit } of Object.values(errorCodes)) expect(told).toContain(String(exit));
  });

  it('each have a symptom in troubleshooting.md, which names no code that does not exist', () => {
    const named = [...read('docs/troubleshooting.md').matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(
      (match) => match[1] as string,
    );
    const known = [...Object.keys(errorCodes), ...Object.keys(warningPages), 'TMPDIR', 'SSL_CERT_FILE'];
    expect(named.filter((code) => !known.includes(code))).toEqual([]);
    expect(Object.keys(errorCodes).filter((code) => !named.includes(code))).toEqual([]);
  });
});

describe('warnings', () => {
  it('that the sources give are those that errors.md explains', () => {
    const explained = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| [^|]+ \|$/gm)].map(
      (match) => match[1] as string,
    );
    const given = sources('src').flatMap((source) =>
      [...source.matchAll(/type: 'warning',\s*code: '([A-Z_]+)'/g)].map((match) => match[1] as string),
    );
    expect(given.length).toBeGreaterThan(0);
    for (const code of given) expect(explained).toContain(code);
    expect(new Set(explained.filter((code) => !(code in errorCodes)))).toEqual(new Set(given));
  });
});

/** Returns the text of every source file below a folder. */
function sources(folder: string): string[] {
  const base = fileURLToPath(new URL(folder, root));
  return readdirSync(base, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(`${base}/${file}`, 'utf8'));
}
