import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { librariesOfSource, MentionScan } from '../../../src/rootfs/facts/mentions.ts';
import { b } from '../../support/bytes.ts';
import { bytesOf } from '../../support/model/byte-string.ts';

function mentionsOf(text: string, piece = 1e9): readonly string[] {
  const scan = new MentionScan();
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length; at += piece) scan.write(bytes.subarray(at, at + piece));
  return scan.finish();
}

describe('the bytes of an ELF file', () => {
  it.each([
    ['a library with a version', '\0libfontconfig.so.1\0', ['libfontconfig.so.1']],
    ['a library without one', '\0libcuda.so\0', ['libcuda.so']],
    ['a library by its path', '\0/usr/lib/libssl.so.3\0', ['libssl.so.3']],
    ['a name with signs', '\0libstdc++.so.6\0libgtk-3.so.0\0', ['libgtk-3.so.0', 'libstdc++.so.6']],
    ['no pattern', '\0lib%s.so\0%slib.so\0mod.so\0mylibz.so\0', []],
    [
      'libraries in the archive of PyInstaller',
      'x\0\0\x01blibssl.so.3\0\0\0blibz.so.1\0 blibc.so',
      ['libssl.so.3', 'libz.so.1'],
    ],
    [
      'tables of MIME types',
      '\0/etc/apache/mime.types/usr/share/mime/globs2\0mime.types',
      ['etc/apache/mime.types', 'usr/share/mime/globs2'],
    ],
    ['no other ending', '\0libfoo.sock\0libfoo.sound\0', []],
    [
      'bundles of certificates among joined strings',
      'xx/etc/ssl/certs/ca-certificates.crt/etc/pki/tls/certs/ca-bundle.crt/etc/ssl/cert.pemmore',
      ['etc/pki/tls/certs/ca-bundle.crt', 'etc/ssl/cert.pem', 'etc/ssl/certs/ca-certificates.crt'],
    ],
  ])('name %s', (_, text, names) => {
    expect(mentionsOf(text)).toEqual(names);
  });

  test('name the same in pieces of any size', () => {
    const part = fc.constantFrom(
      '\0',
      'libz.so.1',
      'x',
      '.so',
      '/etc/ssl/cert.pem',
      'q'.repeat(90),
      '\0'.repeat(300),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.integer({ min: 1, max: 400 }), (parts, piece) => {
        const text = parts.join('');
        expect(mentionsOf(text, piece)).toEqual(mentionsOf(text));
      }),
    );
  });
});

test.each([
  ['lib = ctypes.util.find_library("magic")', ['libmagic.so*']],
  ["lib = CDLL('libmagic.so.1')", ['libmagic.so.1']],
  ['cdll.LoadLibrary("/usr/lib/libfoo.so")', ['libfoo.so']],
  ['ffi.dlopen("cairo")', ['libcairo.so*']],
  ["ffi_lib 'vips', 'glib-2.0'", ['libvips.so*']],
  ["ffi_lib ['sodium', 'libsodium.so.23']", ['libsodium.so*', 'libsodium.so.23']],
  ['print("hello")', []],
])('the source %s names %j', (text, names) => {
  expect(librariesOfSource(b(text))).toEqual(names);
});
