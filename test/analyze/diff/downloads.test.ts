import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { downloadsOf, type ImageBlobs, transferBytes } from '../../../src/analyze/diff/downloads.ts';
import { digestOf } from '../../../src/oci/digest.ts';

/** An image of layers named by letters: `a` and `A` are one DiffID packed in two ways. A letter's blob has 100 times its number bytes. */
function image(config: string, layers: string): ImageBlobs {
  const named = (name: string) => digestOf(new TextEncoder().encode(name));
  return {
    config: { digest: named(`config ${config}`), size: 7 },
    layers: Array.from(layers, (name) => name).map((name) => ({
      digest: named(name),
      size: 100 * (name.toLowerCase().charCodeAt(0) - 96),
      diffId: named(name.toLowerCase()),
    })),
  };
}

function bytesOf(a: ImageBlobs, b: ImageBlobs, newShare: number | null = 1): Record<string, number> {
  const contents = () => (newShare === null ? null : { newBytes: 1000 * newShare, allBytes: 1000 });
  return Object.fromEntries(
    downloadsOf(a, b, contents).map(({ model, transferBytes: bytes }) => [model, bytes]),
  );
}

describe('what a client downloads', () => {
  test('a client with the same image: nothing', () => {
    expect(bytesOf(image('1', 'abc'), image('1', 'abc'))).toEqual({ blob: 0, prefix: 0, file: 0 });
  });

  test('another config alone', () => {
    expect(bytesOf(image('1', 'ab'), image('2', 'ab'))).toEqual({ blob: 7, prefix: 7, file: 7 });
  });

  test('a blob above another one is reused by digest, but not by the chain of layers', () => {
    expect(bytesOf(image('1', 'abc'), image('2', 'dbc'))).toEqual({ blob: 407, prefix: 907, file: 407 });
  });

  test('the same bytes in another packing are downloaded by all clients but those that compare files', () => {
    expect(bytesOf(image('1', 'ab'), image('2', 'Ab'))).toEqual({ blob: 107, prefix: 307, file: 7 });
  });

  test('a blob that is named twice comes once', () => {
    expect(bytesOf(image('1', 'a'), image('2', 'abb'))).toEqual({ blob: 207, prefix: 207, file: 207 });
  });

  test('a share of the contents costs that share of the blob', () => {
    expect(bytesOf(image('1', 'a'), image('2', 'ab'), 0.25)).toEqual({ blob: 207, prefix: 207, file: 57 });
    expect(bytesOf(image('1', 'a'), image('2', 'ab'), 0)).toEqual({ blob: 207, prefix: 207, file: 7 });
  });

  test('law: files are at most blobs, blobs at most chains, chains at most everything', () => {
    const layers = fc.array(fc.constantFrom('a', 'A', 'b', 'B', 'c', 'd'), { maxLength: 5 });
    fc.assert(
      fc.property(layers, layers, fc.double({ min: 0, max: 1, noNaN: true }), (before, after, share) => {
        const [a, b] = [image('1', before.join('')), image('2', after.join(''))];
        const { blob = 0, prefix = 0, file = 0 } = bytesOf(a, b, share);
        expect([file, blob, prefix, transferBytes(b)]).toEqual(
          [file, blob, prefix, transferBytes(b)].sort((x, y) => x - y),
        );
      }),
    );
  });
});
