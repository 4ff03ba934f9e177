import { describe, expect, test } from 'vitest';
import { libraryName } from '../../../src/slim/findings/library-name.ts';
import { p } from '../../support/bytes.ts';

const name = (path: string) => libraryName(p(path));
const site = 'usr/lib/python3/dist-packages';

describe('copies of one library have one name:', () => {
  test.each([
    [
      'libgomp',
      [
        'usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0',
        `${site}/torch/lib/libgomp-a34b3233.so.1`,
        `${site}/scikit_learn.libs/libgomp-a49a47f9.so.1.0.0`,
      ],
    ],
    [
      'libopenblas',
      [
        'usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblasp-r0.3.21.so',
        `${site}/numpy.libs/libopenblas64_p-r0-0cf96a72.3.23.dev.so`,
        `${site}/numpy.libs/libscipy_openblas64_-ff651d7f.so`,
        `${site}/scipy.libs/libscipy_openblas-68440149.so`,
        'opt/conda/lib/libopenblas.so.0',
      ],
    ],
    [
      'libcudart',
      [
        'usr/local/cuda-12.4/targets/x86_64-linux/lib/libcudart.so.12.4.127',
        `${site}/nvidia/cuda_runtime/lib/libcudart.so.12`,
        `${site}/torch/lib/libcudart-d0da41ae.so.11.0`,
      ],
    ],
    [
      'libcudnn_ops',
      ['usr/lib/x86_64-linux-gnu/libcudnn_ops.so.9.1.0', `${site}/nvidia/cudnn/lib/libcudnn_ops.so.9`],
    ],
    [
      'libssl.so.3',
      ['usr/lib/x86_64-linux-gnu/libssl.so.3', `${site}/psycopg_binary.libs/libssl-2ac3e1b5.so.3`],
    ],
    ['libstdc++.so.6', ['usr/lib/libstdc++.so.6.0.30', 'opt/conda/lib/libstdc++.so.6.0.29']],
    ['libjvm.so', ['usr/lib/jvm/17/lib/server/libjvm.so', 'opt/java/lib/server/libjvm.so']],
  ])('such as %s', (expected, paths) => {
    expect(paths.map(name)).toEqual(paths.map(() => expected));
  });
});

test.each([
  ['another major version', 'usr/lib/libssl.so.1.1', 'usr/lib/libssl.so.3'],
  ['another library of a family', 'usr/lib/libcublas.so.12', 'usr/lib/libcublasLt.so.12'],
  ['an extension without a version', 'usr/lib/jvm/lib/libzip.so', 'usr/lib/libzip.so.5.5'],
])('%s has another name', (_, one, other) => {
  expect(name(one)).not.toBe(name(other));
});

test.each([
  ['a stub to link with', 'usr/local/cuda-12.4/lib64/stubs/libcublas.so'],
  ['a build for newer processors', 'usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libz.so.1'],
  ['a library of 32 bits', 'usr/lib32/libz.so.1'],
  ['debug symbols', 'usr/lib/debug/usr/lib/libz.so.1'],
  ['a static library', 'usr/lib/libz.a'],
  ['a module of Python', `${site}/torch/_C.cpython-311-x86_64-linux-gnu.so`],
  ['a text', 'usr/share/doc/libz.so.txt'],
  ['a name that is only the suffix', 'usr/lib/lib.so.conf'],
])('%s is not a library that could be there twice', (_, path) => {
  expect(name(path)).toBeNull();
});
