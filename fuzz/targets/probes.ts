/**
 * The target of what the program of a recorded image answers: pages that are crawled, and descriptions of APIs. Whatever the bytes are, paths of the
 * same origin come out, and few.
 */
import { linksOf } from '../../src/probe/links.ts';
import { probesOfApi } from '../../src/probe/openapi.ts';
import { choiceOf, holds, neverThrows, type Target } from '../target.ts';

const types = ['text/html', 'text/css', 'image/svg+xml', 'text/plain'];

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const target: Target = {
  name: 'probes',
  invariant: 'links and operations are read without a throw, and are paths of the same origin',
  seeds: () =>
    [
      '<a href="/a"><img srcset="b.png 1x, c.png 2x"><div style="background: url(d.png)">',
      '@import "a.css"; a { background: url(\'b.png\') }',
      '{"servers":[{"url":"/v1"}],"paths":{"/a/{id}":{"parameters":[{"$ref":"#/p"}],"get":{},"post":{"requestBody":{"content":{"application/json":{"example":{"a":1}}}}}}},"p":{"name":"id","in":"path","example":"x y"}}',
    ].map((text) => Buffer.from(text)),
  dictionary: [
    '<a href="',
    '"',
    "'",
    'url(',
    ')',
    '@import "',
    '//',
    '..',
    '?',
    '#',
    '{id}',
    '"$ref":',
    '"#/',
    '"paths":',
    '%2F',
    '%',
  ],
  maxBytes: 4096,
  run: (bytes) => {
    const text = Buffer.from(bytes).toString('utf8');
    const type = types[choiceOf(bytes) % types.length] ?? '';
    for (const link of neverThrows('linksOf', () => linksOf(text, type, '/base/page')))
      holds(/^\/[!-~]*$/.test(link), 'a link that is not a path');
    const found = neverThrows('probesOfApi', () => probesOfApi(parsed(text), null));
    for (const { path, headers } of found?.probes ?? []) {
      holds(path.startsWith('/'), 'an operation that is not at a path');
      for (const [name, value] of Object.entries(headers))
        holds(/^[\w-]+$/.test(name) && /^[ -~]*$/.test(value), 'a header that ends early');
    }
  },
};
