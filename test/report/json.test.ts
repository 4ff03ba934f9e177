import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderJson } from '../../src/report/json.ts';
import type { RemovedEntry, Report } from '../../src/report/report.ts';
import { sample } from './sample.ts';

const render = (report: Report): string => [...renderJson(report)].join('');

describe('renderJson', () => {
  it('parses to the same report with any strings', () => {
    const nasty = fc.string({
      unit: fc.oneof(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        fc.constantFrom('\ud800', '\u202e', '##[', '::', '"', '\\', '\u2028'),
      ),
    });
    fc.assert(
      fc.property(nasty, (message) => {
        const report: Report = { ...sample, warnings: [{ code: 'X', message }] };
        const text = render(report);
        expect(JSON.parse(text)).toEqual(report);
        expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\p{Cs}|[\u2028\u2029]|##\w*\[/u);
        expect(text).not.toMatch(/^\s*::/m);
      }),
      { numRuns: 500 },
    );
  });
  it('renders a record on one line', () => {
    const lines = render(sample).split('\n');
    expect(lines[0]).toBe('{');
    expect(lines[1]).toBe('  "$id": "urn:ocislim:schema:report:1",');
    expect(lines).toContain(
      '          { "path": "var/lib/apt/lists/lock", "layer": 2, "type": "file", "size": 0, "bytes": 512, "rule": "var/lib/apt/lists/**", "origin": "preset apt-lists", "how": "freed" },',
    );
    expect(lines.slice(-2)).toEqual(['}', '']);
  });
  it('renders empty members and omits undefined ones', () => {
    const text = render({
      ...sample,
      warnings: [],
      encoders: [],
      tool: { ...sample.tool, version: undefined as unknown as string },
    });
    expect(text).toContain('"warnings": [],');
    expect(text).toContain('"tool": { "name": "ocislim" },');
  });
  it('comes in chunks of bounded size', () => {
    const [platform] = sample.platforms;
    if (platform?.slimming == null) throw new Error('the sample has changed');
    const [entry] = platform.slimming.removed;
    const removed = Array.from(
      { length: 20_000 },
      (_, i): RemovedEntry => ({ ...(entry as RemovedEntry), path: `usr/share/doc/${i}` }),
    );
    const report: Report = {
      ...sample,
      platforms: [{ ...platform, slimming: { ...platform.slimming, removed } }],
    };
    const chunks = [...renderJson(report)];
    expect(chunks.length).toBeGreaterThan(10);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(80_000);
    expect(JSON.parse(chunks.join(''))).toEqual(report);
  });
});
