/**
 * The preset `cuda`: what GPU toolkits bring for those who compile and measure programs. `presets.ts` has it in its table. The layouts
 * are those of NVIDIA's images, packages and wheels, of conda, and of AMD's packages and wheels.
 */
import { optional, type Preset, type PresetRule } from './preset.ts';

/** The directories of CUDA toolkits: `usr/local/cuda-12.4`, and `opt/cuda` of Arch Linux. */
const toolkits = ['usr/local/cuda*', 'opt/cuda*'];

/** The environments of conda, which put the toolkit into their own directories. */
const environments = ['opt/conda', 'opt/conda/envs/*', 'opt/mini*3', 'opt/mini*3/envs/*', 'root/mini*3'];

/** Where Debian packages of cuDNN, NCCL and TensorRT put libraries and headers. */
const libraries = ['usr/lib', 'usr/lib64', 'usr/lib/*-linux-gnu'];
const headers = ['usr/include', 'usr/include/*-linux-gnu'];

/** What the wheels `nvidia-*` share: `nvidia/cublas/lib`, `nvidia/cu13/include`. */
const wheels = ['**/site-packages/nvidia', '**/dist-packages/nvidia'];

/** ROCm: `opt/rocm-6.2.0`, and its wheels. */
const rocm = ['opt/rocm*'];
const rocmWheels = ['**/site-packages/_rocm_sdk_*', '**/dist-packages/_rocm_sdk_*'];

/** Returns every glob below every prefix. */
function below(prefixes: readonly string[], globs: readonly string[]): string[] {
  return prefixes.flatMap((prefix) => globs.map((glob) => `${prefix}/${glob}`));
}

/** Returns rules for static libraries, some of which are symlinks to others. */
function statics(prefixes: readonly string[], globs: readonly string[]): PresetRule[] {
  return below(prefixes, globs).flatMap((glob): PresetRule[] => [
    { glob, only: 'file' },
    { glob, only: 'symlink' },
  ]);
}

/** The static library that programs link at run time, by nvJitLink, for kernels that start kernels. */
const deviceRuntime = '**/libcudadevrt.a';

/** Nsight Compute, Nsight Systems, the visual profiler with its Java, sanitizers and debuggers: directories, and their programs. */
const profilers = [
  'nsight*',
  'Nsight*',
  'libnsight',
  'libnvvp',
  'jre',
  'compute-sanitizer',
  'Sanitizer',
  ...below(['bin'], ['ncu*', 'nsys*', 'nsight*', 'nv-nsight-cu*', 'nvprof', 'nvvp', 'computeprof']),
  ...below(['bin'], ['compute-sanitizer', 'cuda-memcheck', 'cuda-gdb*']),
];

/** Examples, and what CUPTI has beside its libraries, which PyTorch and TensorFlow load. */
const samples = [
  'samples',
  'nvml/example',
  'nvvm/libnvvm-samples',
  'gds*/samples',
  ...below(['extras'], ['demo_suite', 'cuda-gdb*', 'CUPTI/samples', 'CUPTI/doc*', 'CUPTI/include']),
];

export const cudaPreset: Preset = {
  name: 'cuda',
  title:
    'static libraries, headers, samples and profilers of CUDA and ROCm, in toolkits, packages and wheels',
  ...optional,
  risk: 'medium',
  note: "Nothing can be built against CUDA or ROCm in the image any more, also at run time where a program compiles with the headers of the toolkit: CuPy, DeepSpeed, FlashInfer, torch.utils.cpp_extension. `--rule '!**/include'` keeps the headers. Shared libraries stay, CUPTI among them, which PyTorch loads; so do nvcc, ptxas, NVRTC, libdevice and the headers that Triton brings.",
  rules: [
    ...below(toolkits, ['include', 'targets/*/include', ...samples, ...profilers]),
    ...statics(toolkits, ['**/*.a']),
    ...below(environments, ['targets/*/include', 'nsight-*', 'compute-sanitizer', 'extras/CUPTI/samples']),
    ...statics(environments, ['targets/*/lib/*.a', 'lib/libcu*_static*.a', 'lib/libn[pv]*_static*.a']),
    'opt/nvidia/nsight*',
    'usr/src/cudnn_samples*',
    ...below(['usr/src/tensorrt'], ['samples', 'data']),
    ...statics(libraries, ['libcu*_static*.a', 'libcudnn*.a', 'libnccl*.a', 'libn[pv]*_static*.a']),
    ...statics(libraries, ['libnvinfer*.a', 'libnvonnxparser*.a', 'libnvparsers*.a']),
    ...below(headers, ['cudnn*.h', 'nccl*.h', 'Nv[A-Z]*.h']),
    ...below(wheels, ['*/include', '*/samples']),
    ...statics(wheels, ['**/*.a']),
    ...[...toolkits, ...environments, ...wheels].map((prefix) => `!${prefix}/${deviceRuntime}`),
    ...below(rocm, ['include', '*/include', 'lib/llvm/include', 'samples', 'share/*/samples']),
    ...below(rocm, ['bin/rocprof*', 'bin/omni*', 'bin/rocgdb', 'bin/*-bench', 'bin/*-test']),
    ...below(rocm, ['libexec/rocprof*', 'libexec/omni*', 'share/rocprof*', 'share/omni*']),
    ...below(rocmWheels, ['include', 'lib/llvm/include']),
    ...statics([...rocm, ...rocmWheels], ['**/*.a']),
  ],
};
