import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { hostileNames, hostileRows, imageRows, madePage } from '../report/page/made-page.ts';
import { accessProblems, openBrowser, openFile } from '../support/e2e/browser.ts';
import { ocislim } from '../support/e2e/cli.ts';

let folder = '';
let browser: Browser;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-page-'));
  browser = await openBrowser();
  await writeFile(file('made.html'), await madePage([...imageRows(3000), ...hostileRows()]));
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

/** Returns the texts of the first cells of the table of files. */
const paths = (page: Page) => page.locator('#files .vbody .path').allTextContents();

describe('a page in Chromium', () => {
  test('loads from a file without a request, and its policy has nothing to refuse', async () => {
    await using opened = await openFile(browser, file('made.html'));
    expect(await opened.page.locator('h2').allTextContents()).toEqual([
      'Gates: 1 of 2 failed',
      'What to do',
      'Where the bytes are',
      'Layers',
      'Files',
      'Recorded and tried',
      'Packages',
      'Warnings',
    ]);
    expect(opened.requests).toEqual([]);
    expect(opened.complaints).toEqual([]);
  });

  test('refuses what is not its own script', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    await page.evaluate(`
      const script = document.createElement('script');
      script.textContent = 'document.title = "run"';
      const picture = new Image();
      picture.src = 'http://127.0.0.1:9/x.png';
      document.body.append(script, picture);
    `);
    await expect.poll(() => opened.complaints.length).toBeGreaterThanOrEqual(2);
    expect(await page.title()).not.toBe('run');
    expect(opened.complaints.join('\n')).toMatch(/script-src[^]*img-src/);
  });

  test('shows hostile names as text', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    await page.getByLabel('Search paths').fill('/var/');
    await page.getByLabel('Layer', { exact: true }).selectOption('1');
    for (const name of hostileNames) {
      await page.getByLabel('Search paths').fill(`/var/${name}`);
      expect(await paths(page)).toContain(`/var/${name}`);
    }
    expect(await page.locator('img, #page script, main script').count()).toBe(0);
    expect(await page.title()).toMatch(/^ocislim slim: /);
    expect(opened.complaints).toEqual([]);
  });

  test('searches, filters and sorts the files', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    const count = page.locator('#files .count');
    const all = imageRows(3000);
    await page.getByLabel('Search paths').fill('COPYRIGHT');
    const copyrights = all.filter(({ path }) => path.at(-1) === 'copyright').length;
    await expect.poll(() => count.textContent()).toMatch(new RegExp(`^${copyrights} of 3,020 entries`));
    await page.getByLabel('Search paths').fill('');
    await page.getByRole('button', { name: 'Went' }).click();
    const went = [...all, ...hostileRows()].filter(({ fate }) => fate === 1);
    await expect.poll(() => count.textContent()).toMatch(new RegExp(`^${went.length} of`));
    await page.getByRole('button', { name: 'Path', exact: true }).click();
    const first = went.map(({ path }) => `/${path.join('/')}`).toSorted()[0];
    expect((await paths(page))[0]).toBe(first);
    expect(await page.locator('#files [aria-sort="ascending"]').textContent()).toBe('Path');
  });

  test('makes elements of the rows in sight alone, and shows the last one after scrolling', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    expect(await page.locator('#files .vbody .vrow').count()).toBeLessThan(60);
    await page.getByRole('button', { name: 'Path', exact: true }).click();
    await page.locator('#files .vtable').evaluate((table) => table.scrollTo(0, table.scrollHeight));
    const last = [...imageRows(3000), ...hostileRows()]
      .map(({ path }) => `/${path.join('/')}`)
      .toSorted()
      .at(-1);
    await expect.poll(async () => (await paths(page)).at(-1)).toBe(last);
  });

  test('draws both sides on one scale', async () => {
    await using opened = await openFile(browser, file('made.html'));
    // The area that cells take, of the whole of each side.
    const areas = await opened.page.evaluate<number[]>(`
      [...document.querySelectorAll('.map svg')].map((map) => {
        const boxes = [...map.querySelectorAll('.cell, .dir')].map((cell) => cell.getBBox());
        const reach = (side, length) => Math.max(...boxes.map((box) => box[side] + box[length]));
        return reach('x', 'width') * reach('y', 'height');
      })
    `);
    const sum = (fates: readonly number[]) =>
      [...imageRows(3000), ...hostileRows()].reduce(
        (all, { fate, size }) => all + (fates.includes(fate) ? size : 0),
        0,
      );
    const [before = 0, after = 0] = areas;
    expect(after / before).toBeCloseTo(sum([0, 2]) / sum([0, 1, 2]), 1);
  });

  test('zooms by click and by key, and says where it is', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    const crumbs = () => page.locator('.crumbs li').allTextContents();
    await page
      .locator('.map svg')
      .first()
      .click({ position: { x: 30, y: 8 } });
    expect((await crumbs()).length).toBe(2);
    await page.getByRole('application').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.told').textContent()).toMatch(
      /^\/\S+, (?:directory|file): Before .*, After /,
    );
    expect(await page.locator('.selected').count()).toBeGreaterThan(0);
    await page.keyboard.press('Enter');
    expect((await crumbs()).length).toBe(3);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    expect(await crumbs()).toEqual(['whole image']);
  });

  test('tells what the treemap shows as a table, which zooms too', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    await page.getByText('The same as a table').click();
    const names = await page.locator('.words tbody th').allTextContents();
    expect(names.toSorted()).toEqual(['opt/', 'srv/', 'usr/', 'var/']);
    await page.locator('.words').getByRole('button', { name: 'usr/' }).click();
    expect(await page.locator('.crumbs li').allTextContents()).toEqual(['whole image', 'usr']);
    expect(await page.locator('.words caption').textContent()).toBe('Contents of /usr');
  });

  test('lists what was asked of a recorded image, and searches in it', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    expect(await page.locator('#tried .verdict').textContent()).toContain(
      'the pruned image answers the same.',
    );
    const rows = page.locator('#tried .vbody .vrow');
    expect(await rows.count()).toBeGreaterThanOrEqual(12);
    await page.getByLabel('Search Probes').fill('/39');
    await expect.poll(() => rows.count()).toBe(1);
    expect(await rows.first().textContent()).toContain('780 ms');
    expect(opened.complaints).toEqual([]);
  });

  test('colours by layer when asked', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    const legend = () => page.locator('.legend .name').allTextContents();
    expect(await legend()).toEqual(['kept', 'hidden, still there', 'preset docs']);
    await page.locator('#map').getByRole('button', { name: 'Layer' }).click();
    expect(await legend()).toEqual(['layer 1', 'layer 2', 'layer 3']);
    expect(await page.locator('.map .c-layer0').count()).toBeGreaterThan(0);
  });

  test('copies a command', async () => {
    await using opened = await openFile(browser, file('made.html'), {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const { page } = opened;
    await page
      .locator('#todo')
      .getByRole('button', { name: /^Copy the command/ })
      .click();
    await expect.poll(() => page.locator('#todo .said').textContent()).toBe('Copied');
    expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^ocislim prune .* --shadowed$/);
  });

  test('changes to another image, whose files are not known', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    await page.getByRole('button', { name: 'linux/arm64' }).click();
    await expect.poll(() => page.locator('#files').count()).toBe(0);
    expect(await page.locator('#layers').count()).toBe(1);
    await page.getByRole('button', { name: 'linux/amd64' }).click();
    await expect.poll(() => page.locator('#files').count()).toBe(1);
    expect(opened.complaints).toEqual([]);
  });

  test.each(['light', 'dark'] as const)(
    'gives axe-core nothing to find in %s colours',
    async (colorScheme) => {
      await using opened = await openFile(browser, file('made.html'), { colorScheme });
      await opened.page.getByText('The same as a table').click();
      expect(await accessProblems(opened.page)).toEqual([]);
    },
  );

  test('follows a choice of colours against the system', async () => {
    await using opened = await openFile(browser, file('made.html'), { colorScheme: 'light' });
    const { page } = opened;
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.getByRole('button', { name: 'Dark' }).click();
    expect(await ground()).not.toBe(light);
    await page.getByRole('button', { name: 'Auto' }).click();
    expect(await ground()).toBe(light);
  });

  test.each([320, 390, 768])('has nothing wider than a window of %i pixels', async (width) => {
    await using opened = await openFile(browser, file('made.html'), { viewport: { width, height: 844 } });
    const wide = await opened.page.evaluate('document.documentElement.scrollWidth');
    expect(wide).toBe(width);
  });

  test('prints the first rows of its tables, and the treemap', async () => {
    await using opened = await openFile(browser, file('made.html'));
    const { page } = opened;
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await page.locator('#files .vbody .vrow').count()).toBe(100);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect(await page.locator('#files .vbody .vrow').count()).toBeLessThan(60);
  });
});

test('a command writes a page about a real image, of the numbers that its JSON report has', async () => {
  const source = `oci:${inject('images')}/busybox`;
  const [html, json] = [file('slim.html'), file('slim.json')];
  await ocislim(['prune', source, '--dry-run', '--rule', 'etc/**', '--report', html, '--report', json]);
  const report = JSON.parse(await readFile(json, 'utf8'));
  const [{ slimming }] = report.platforms;
  await using opened = await openFile(browser, html);
  const { page } = opened;
  await page.getByRole('button', { name: 'Went' }).click();
  const gone = slimming.removed.filter(
    ({ type }: { type: string }) => type !== 'directory' && type !== 'whiteout',
  );
  const shown = (await page.locator('#files .count').textContent()) ?? '';
  const count = Number(shown.split(' ')[0]?.replaceAll(',', ''));
  // Empty directories have rows, too.
  expect(count).toBeGreaterThanOrEqual(gone.length);
  expect(count).toBeLessThanOrEqual(slimming.removed.length);
  expect(opened.requests).toEqual([]);
  expect(opened.complaints).toEqual([]);
});

test('analyze, check and diff write pages that everyone can read', async () => {
  const [before, after] = [`oci:${inject('images')}/busybox`, `oci:${inject('images')}/redis`];
  await ocislim(['analyze', before, '--no-estimate', '--report', file('analysis.html')]);
  await ocislim(['check', before, '--max-layers', '1', '--forbid-root', '--report', file('check.html')]);
  await ocislim(['diff', before, after, '--report', file('diff.html')]);
  for (const [name, chapter] of [
    ['analysis.html', 'Layers'],
    ['check.html', 'Where the bytes are'],
    ['diff.html', 'What a client that has A downloads for B'],
  ] as const) {
    await using opened = await openFile(browser, file(name));
    expect(await opened.page.locator('h2').allTextContents()).toContain(chapter);
    expect(opened.requests).toEqual([]);
    expect(opened.complaints).toEqual([]);
    expect(await accessProblems(opened.page)).toEqual([]);
  }
});
