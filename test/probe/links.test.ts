import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linksOf } from '../../src/probe/links.ts';

describe('the links of a page', () => {
  it('are those that a browser would fetch from the same origin, each once, without fragments', () => {
    const page = `<!doctype html><link rel="stylesheet" href="/a.css"><script src='js/app.js'></script>
      <img srcset="s.png 1x, /l.png 2x" src=s.png><a href="/x?a=1&amp;b=2#top">x</a><a href="/a.css">again</a>
      <form action="/send"></form><video poster="p.jpg"></video><a href="//elsewhere.example/y">no</a>
      <a href="https://elsewhere.example/">no</a><a href="mailto:a@b.example">no</a><a href="#here">no</a>
      <div style="background: url(bg.png)"></div><a>no</a>`;
    expect(linksOf(page, 'text/html; charset=utf-8', '/dir/index.html')).toEqual([
      '/a.css',
      '/dir/js/app.js',
      '/dir/s.png',
      '/l.png',
      '/x?a=1&b=2',
      '/send',
      '/dir/p.jpg',
      '/dir/bg.png',
    ]);
  });

  it('of a style sheet are its images, fonts and imports', () => {
    const css = `@import "base.css"; @font-face { src: url('/f.woff2') } .a { background: url("i.png") url(data:x) }`;
    expect(linksOf(css, 'text/css', '/css/app.css')).toEqual(['/f.woff2', '/css/i.png', '/css/base.css']);
  });

  it('of other types are none', () => {
    expect(linksOf('<a href="/x">', 'text/plain', '/')).toEqual([]);
    expect(linksOf('{"href":"/x"}', 'application/json', '/')).toEqual([]);
  });

  it('of any text are paths of this origin', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('<a href="', '"', '..', '//', '\\', 'http:', 'url(', ')', '&'),
    );
    fc.assert(
      fc.property(
        fc.array(piece),
        fc.constantFrom('text/html', 'text/css'),
        fc.webPath(),
        (pieces, type, base) => {
          for (const link of linksOf(pieces.join(''), type, base)) expect(link).toMatch(/^\/[!-~]*$/);
        },
      ),
    );
  });

  it('are a bounded number', () => {
    const page = Array.from({ length: 5000 }, (_, i) => `<a href="/${i}">`).join('');
    expect(linksOf(page, 'text/html', '/')).toHaveLength(2000);
  });
});
