/** What the viewer of `explore` makes of files, and that it reads no more than it shows. */
import { describe, expect, test } from 'vitest';
import { viewFile } from '../../../src/cli/explore/viewed.ts';
import { expectHarmless, nasty } from '../../support/hostile-text.ts';

/** Views bytes that arrive in pieces of this size. Returns the pages by title, and how many pieces were asked for. */
async function view(bytes: Uint8Array, piece = 1000) {
  let taken = 0;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += piece) {
      taken++;
      yield bytes.subarray(at, at + piece);
    }
  }
  const viewed = await viewFile(pieces(), { name: '/a', size: bytes.length });
  return {
    ...viewed,
    taken,
    lines: Object.fromEntries(viewed.pages.map(({ title, lines }) => [title, lines])),
  };
}

describe('a file', () => {
  test('of text shows its lines, tabs as spaces, and its bytes', async () => {
    const { lines } = await view(Buffer.from('one\n\ttwo\tthree\r\nfour'), 3);
    expect(lines).toEqual({
      text: ['one', '        two     three', 'four'],
      hex: [
        '00000000  6f 6e 65 0a 09 74 77 6f  09 74 68 72 65 65 0d 0a  one..two.three..',
        '00000010  66 6f 75 72                                       four',
      ],
    });
  });

  test('of other bytes shows them in hex alone', async () => {
    expect(Object.keys((await view(Buffer.from([0, 1, 2]))).lines)).toEqual(['hex']);
    expect(Object.keys((await view(Buffer.from([0xff, 0xfe]))).lines)).toEqual(['hex']);
  });

  test('that is ELF shows first what it needs', async () => {
    const { pages } = await view(await (await import('node:fs/promises')).readFile(process.execPath), 65_536);
    expect(pages.map(({ title }) => title)).toEqual(['ELF', 'hex']);
    expect(pages[0]?.lines).toContainEqual(expect.stringMatching(/^needs +libc\.so/) as string);
  });

  test('that is large is read to the first MiB, a character that is cut left out', async () => {
    const bytes = Buffer.from(`x${'é'.repeat(1_000_000)}`);
    const { isCut, lines, taken } = await view(bytes);
    expect([isCut, lines['text']?.[0]?.length, lines['hex']?.length]).toEqual([true, 524_288, 65_536]);
    expect(taken).toBeLessThan(1100);
  });

  test('drives no terminal', async () => {
    const { lines } = await view(Buffer.from(nasty));
    expectHarmless((lines['text'] ?? []).join('\n'), 'text');
    expect((lines['hex'] ?? []).join('')).toMatch(/^[\x20-\x7e]+$/);
  });
});
