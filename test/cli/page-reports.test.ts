import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { openScene } from '../support/scene.ts';
import { designedImage } from '../support/small-image.ts';

const scene = openScene(() => ({ a: designedImage() }));

describe('--report FILE.html', () => {
  test.each([
    ['slim', () => [scene.at('a'), scene.at('slim')]],
    ['copy', () => [scene.at('a'), scene.at('copy')]],
    ['squash', () => [scene.at('a'), '--dry-run', '--last', '2']],
    ['analyze', () => [scene.at('a')]],
    ['diff', () => [scene.at('a'), scene.at('a')]],
  ] as const)('of %s writes a page', async (command, args) => {
    const file = scene.path(`${command}.html`);
    await scene.run(command, ...args(), '--report', file);
    const page = await readFile(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain(`"command":"ocislim ${command}"`);
  });

  test('of check writes a page, whatever the verdict is', async () => {
    const file = scene.path('check.html');
    const { status } = await callCli(['check', scene.at('a'), '--max-layers', '1', '--report', file]);
    expect(status).toBe(3);
    expect(await readFile(file, 'utf8')).toContain('"result":"failed"');
  });

  test('is the only form that check writes, and other names are refused before any work', async () => {
    const { status, stderr } = await callCli(['check', 'oci:nowhere:1', '--report', 'r.json']);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/--report "r\.json": the name must end in \.html/),
    ]);
  });
});
