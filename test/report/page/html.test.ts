import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectHarmless } from '../../support/hostile-text.ts';
import { hostileRows, imageRows, madePage } from './made-page.ts';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Returns the texts of the elements of a name. */
const elements = (html: string, name: string): string[] =>
  [...html.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^]*?)</${name}>`, 'g'))].map(([, text = '']) => text);

describe('a page with hostile names', () => {
  let html = '';
  beforeAll(async () => {
    html = await madePage(hostileRows());
  });

  test('has the elements of any other page, and no more', () => {
    const outside = html.replaceAll(/<(script|style)(?: [^>]*)?>[^]*?<\/\1>/g, '<$1>');
    expect(outside.match(/<script>/g)).toHaveLength(3);
    const known = 'html head meta title link style body noscript p svg defs pattern line script'.split(' ');
    const tags = new Set([...outside.matchAll(/<(?!\/|!doctype)([^\s>]*)/g)].map(([, tag = '']) => tag));
    expect(tags).toEqual(new Set(known));
    expect(outside).not.toContain('<!--');
  });

  test('drives no terminal and gives no command to a CI service, also as a text', () => {
    // The script and the style are ours; lines of the style may begin with two colons.
    const foreign = html.replace(/<style>[^]*?<\/style>/, '').replace(/<script>[^]*?<\/script>/, '');
    expectHarmless(foreign, 'the page');
  });

  test('lets nothing run but its own script', () => {
    const [policy = ''] = /default-src[^"]*/.exec(html) ?? [];
    const script = elements(html, 'script').at(-1) as string;
    const [style = ''] = elements(html, 'style');
    expect(policy).toBe(
      `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; img-src data:; base-uri 'none'; form-action 'none'`,
    );
  });

  test('names no other file or host', () => {
    const foreign = html.replace(/<script>[^]*?<\/script>/, '');
    expect(foreign).not.toMatch(/(?:src|href)="(?!data:)|url\((?!#)|@import/);
  });
});

test('a page of 50,000 files takes less than 300 kB', async () => {
  const html = await madePage(imageRows(50_000));
  expect(Buffer.byteLength(html)).toBeLessThan(300_000);
});

test('a page has the licence of what its script was made from', async () => {
  const script = elements(await madePage([]), 'script').at(-1) as string;
  expect(script).toMatch(/d3-hierarchy[^]*Permission to use, copy, modify/);
});
