/** Opens pages in Debian's Chromium, one browser for all tests of a file, and notes everything that a page must not do. */
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Starts the browser. It runs as root in a container, where its own sandbox does not work. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** A page, and what it did. */
export interface OpenedPage extends AsyncDisposable {
  readonly page: Page;
  /** Addresses that it asked for, without its own file. */
  readonly requests: readonly string[];
  /** Errors of scripts, and what the policy refused. */
  readonly complaints: readonly string[];
}

/** Opens a file, and waits until its script has drawn it. */
export async function openFile(
  browser: Browser,
  file: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const address = pathToFileURL(file).href;
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => {
    if (request.url() !== address) requests.push(request.url());
  });
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(address);
  await page.waitForSelector('html[data-drawn]', { state: 'attached' });
  return { page, requests, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** Lists what axe-core finds wrong with a page: each rule with the elements that break it. */
export async function accessProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
    const { violations } = await axe.run();
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`,
    );
  });
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}
