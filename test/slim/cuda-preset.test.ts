/** The preset `cuda` over what toolkits, packages, wheels and conda of CUDA and ROCm leave in images. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createMatcher, parseRule } from '../../src/rules/rules.ts';
import type { RuledKind } from '../../src/rules/rule.ts';
import { expandPresets } from '../../src/slim/presets.ts';
import { p } from '../support/bytes.ts';

// gpu.txt: lines of the listings of NVIDIA's devel images, of debs and wheels, of conda, and of AMD's packages.
const kinds: Readonly<Record<string, RuledKind>> = { d: 'directory', f: 'file', l: 'symlink' };
const listing = readFileSync(new URL('listings/gpu.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => [line.slice(2), kinds[line.charAt(0)] as RuledKind] as const);

const presets = expandPresets(['cuda']).remove;

function kept(rules = presets): readonly string[] {
  const match = createMatcher(rules);
  return listing.filter(([path, kind]) => match(p(path), kind) === null).map(([path]) => path);
}

test('leaves what programs load and compilers at run time need, and nothing else', () => {
  expect(kept()).toEqual([
    'etc/alternatives/cuda',
    'etc/alternatives/libcudnn_so',
    'opt/nvidia',
    'opt/nvidia/nvidia_entrypoint.sh',
    'opt/conda/envs/ml/lib/libcublas.so.12',
    'opt/conda/envs/ml/targets/x86_64-linux/lib/libcudadevrt.a',
    'opt/conda/include/zlib.h',
    'opt/conda/lib/libz.a',
    'opt/rocm-6.2.0',
    'opt/rocm-6.2.0/.info/version',
    'opt/rocm-6.2.0/amdgcn/bitcode/ocml.bc',
    'opt/rocm-6.2.0/bin/hipcc',
    'opt/rocm-6.2.0/bin/rocminfo',
    'opt/rocm-6.2.0/lib/libamdhip64.so.6.2.60200',
    'opt/rocm-6.2.0/lib/librocprofiler-register.so.0.4.0',
    'opt/rocm-6.2.0/lib/libroctracer64.so.4.1.60200',
    'opt/rocm-6.2.0/lib/llvm/bin/clang-18',
    'opt/rocm-6.2.0/lib/llvm/lib/clang/18/include/stddef.h',
    'opt/rocm-6.2.0/lib/rocblas/library/TensileLibrary_gfx90a.co',
    'opt/rocm-6.2.0/share/miopen/db/gfx90a.kdb',
    'srv/venv/lib/python3.12/site-packages/_rocm_sdk_core/lib/libamdhip64.so.6',
    'srv/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcudadevrt.a',
    'srv/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcudart.so.13',
    'srv/venv/lib/python3.12/site-packages/nvidia/cu13/nvvm/libdevice/libdevice.10.bc',
    'srv/venv/lib/python3.12/site-packages/torch/include/ATen/ATen.h',
    'srv/venv/lib/python3.12/site-packages/torch/lib/libtorch_cuda.so',
    'srv/venv/lib/python3.12/site-packages/triton/backends/nvidia/include/cuda.h',
    'srv/venv/lib/python3.12/site-packages/triton/backends/nvidia/lib/cupti/libcupti.so',
    'usr/include/stdio.h',
    'usr/lib/x86_64-linux-gnu/libc.a',
    'usr/lib/x86_64-linux-gnu/libcudnn.so.9.1.0',
    'usr/lib/x86_64-linux-gnu/libnccl.so.2.21.5',
    'usr/lib/x86_64-linux-gnu/libnvinfer.so.10',
    'usr/local/cuda',
    'usr/local/cuda-12',
    'usr/local/cuda-12.4',
    'usr/local/cuda-12.4/EULA.txt',
    'usr/local/cuda-12.4/bin/nvcc',
    'usr/local/cuda-12.4/bin/ptxas',
    'usr/local/cuda-12.4/extras/CUPTI/lib64',
    'usr/local/cuda-12.4/gds/tools/gdscheck',
    'usr/local/cuda-12.4/lib64',
    'usr/local/cuda-12.4/nvvm/libdevice/libdevice.10.bc',
    'usr/local/cuda-12.4/nvvm/lib64/libnvvm.so.4.0.0',
    'usr/local/cuda-12.4/targets/x86_64-linux/lib/libcublas.so.12.4.5.8',
    'usr/local/cuda-12.4/targets/x86_64-linux/lib/libcudadevrt.a',
    'usr/local/cuda-12.4/targets/x86_64-linux/lib/libcupti.so.2024.1.0',
    'usr/local/cuda-12.4/targets/x86_64-linux/lib/libnvperf_host.so',
    'usr/local/cuda-12.4/targets/x86_64-linux/lib/stubs/libcuda.so',
    'usr/local/lib/python3.11/dist-packages/nvidia/__init__.py',
    'usr/local/lib/python3.11/dist-packages/nvidia/cublas/__init__.py',
    'usr/local/lib/python3.11/dist-packages/nvidia/cublas/lib/libcublas.so.12',
    'usr/local/lib/python3.11/dist-packages/nvidia/cuda_cupti/lib/libcupti.so.12',
    'usr/local/lib/python3.11/dist-packages/nvidia/cuda_nvcc/bin/ptxas',
    'usr/local/lib/python3.11/dist-packages/nvidia/nvshmem/lib/libnvshmem_device.bc',
    'usr/src/tensorrt/bin/trtexec',
  ]);
});

test('takes no shared library outside of the directories of profilers', () => {
  const before = listing.map(([path]) => path).filter((path) => /\.so(?:\.|$)/.test(path));
  const gone = before.filter((path) => !kept().includes(path));
  expect(gone).toEqual(['usr/local/cuda-12.4/compute-sanitizer/libsanitizer-collection.so']);
});

test('leaves the headers where the rule that its note names takes them back', () => {
  const left = kept([...presets, parseRule('!**/include', '--rule')]);
  const headers = listing.map(([path]) => path).filter((path) => /\/include(?:\/|$)/.test(path));
  expect(headers.length).toBeGreaterThan(10);
  expect(left).toEqual(expect.arrayContaining(headers));
  expect(left).not.toContain('usr/local/cuda-12.4/targets/x86_64-linux/lib/libcublas_static.a');
});
