import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { descriptorOfBytes, makeDescriptor, parseDescriptor } from '../../src/oci/descriptor.ts';
import { algorithmOf, digestOf, hasher, hexOf, isDigest, parseDigest } from '../../src/oci/digest.ts';

const digest = digestOf(new Uint8Array(0));

function refusal(value: unknown): string {
  try {
    parseDescriptor(value, 'layer 2');
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'MANIFEST_INVALID') return error.message;
    throw error;
  }
  return 'none';
}

describe('a descriptor', () => {
  test('keeps the object that it was read from, unknown keys included', () => {
    const json = {
      mediaType: 'x/y',
      digest,
      size: 0,
      urls: ['https://a.test'],
      annotations: { a: '1', b: 2 },
    };
    const parsed = parseDescriptor(json, 'layer 2');
    expect(parsed.json).toBe(json);
    expect(parsed).toMatchObject({ mediaType: 'x/y', digest, size: 0 });
    // Only strings are annotations.
    expect(parsed.annotations).toEqual({ a: '1' });
    expect(parseDescriptor({ ...json, annotations: null }, 'layer 2').annotations).toEqual({});
  });

  test.each([
    [null, 'layer 2 is not a descriptor object'],
    [[], 'layer 2 is not a descriptor object'],
    ['x', 'layer 2 is not a descriptor object'],
    [{ digest, size: 1 }, 'layer 2 has no mediaType'],
    [{ mediaType: '', digest, size: 1 }, 'layer 2 has no mediaType'],
    [{ mediaType: 'x/y', digest, size: -1 }, 'layer 2 has no valid size: -1'],
    [{ mediaType: 'x/y', digest, size: 1.5 }, 'layer 2 has no valid size: 1.5'],
    [{ mediaType: 'x/y', digest, size: '1' }, 'layer 2 has no valid size: "1"'],
    [{ mediaType: 'x/y', digest, size: 2 ** 53 }, 'layer 2 has no valid size: 9007199254740992'],
    [
      { mediaType: 'x/y', digest: 'sha256:1', size: 1 },
      'the digest of layer 2 is not a sha256 or sha512 digest: "sha256:1"',
    ],
  ])('refuses %j', (value, message) => {
    expect(refusal(value)).toBe(message);
  });

  test('that is made reads as itself', () => {
    const annotated = makeDescriptor('x/y', digest, 3, { a: '1' });
    expect(parseDescriptor(annotated.json, 'it')).toEqual(annotated);
    // An empty set of annotations is not written.
    expect(Object.keys(makeDescriptor('x/y', digest, 3).json)).toEqual(['mediaType', 'digest', 'size']);
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        expect(descriptorOfBytes('x/y', bytes).json).toEqual({
          mediaType: 'x/y',
          digest: `sha256:${sha256}`,
          size: bytes.length,
        });
      }),
    );
  });
});

describe('a digest', () => {
  test.each([
    ['sha256', 64],
    ['sha512', 128],
  ] as const)('%s has %d lower-case hexadecimal digits', (algorithm, length) => {
    const text = `${algorithm}:${'a1'.repeat(length / 2)}`;
    expect(isDigest(text)).toBe(true);
    expect(algorithmOf(parseDigest(text, 'it'))).toBe(algorithm);
    expect(hexOf(parseDigest(text, 'it'))).toBe('a1'.repeat(length / 2));
    for (const wrong of [
      text.slice(0, -1),
      `${text}0`,
      text.toUpperCase(),
      `${text}\n`,
      text.replace('sha', 'SHA'),
    ])
      expect(isDigest(wrong), JSON.stringify(wrong)).toBe(false);
  });

  test('no other text is a digest', () => {
    for (const other of ['', 'sha256:', `md5:${'0'.repeat(32)}`, `sha512:${'0'.repeat(64)}`, null, 7])
      expect(isDigest(other)).toBe(false);
    expect(() => parseDigest('sha256:', 'the digest')).toThrow(
      /^the digest is not a sha256 or sha512 digest: "sha256:"$/,
    );
  });

  test('is the same for any chunks, by the algorithm of the digest to compare with', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        const whole = Buffer.concat(chunks);
        for (const algorithm of ['sha256', 'sha512'] as const) {
          const wanted = parseDigest(
            `${algorithm}:${createHash(algorithm).update(whole).digest('hex')}`,
            'it',
          );
          const hash = hasher(wanted);
          for (const chunk of chunks) hash.update(chunk);
          expect(hash.digest()).toBe(wanted);
        }
        const plain = hasher();
        for (const chunk of chunks) plain.update(chunk);
        expect(plain.digest()).toBe(digestOf(whole));
      }),
    );
  });
});
