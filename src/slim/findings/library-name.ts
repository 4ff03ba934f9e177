/**
 * Tells by the names of files which of them are copies of one shared library, whatever a package or wheel has made of the name. The
 * findings of a pruning ask it.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { ascii } from '../../bytes/bytes.ts';
import { baseOf, type Path } from '../../bytes/path.ts';

/**
 * `libgomp.so.1.0.0`, or `libgomp-a34b3233.so.1.0.0`: tools that repair wheels (auditwheel) put a hash of the contents before
 * the suffix.
 */
const pattern = /^(lib[\w+.-]*?)(?:-[0-9a-f]{8})?\.so(?:\.(\d+)[\w.]*)?$/;

/** Libraries of GPUs and numerics, and the runtimes of OpenMP: any two are copies, whatever their versions. */
const families =
  /^lib(?:cu(?:blas|dart|dnn|fft|file|pti|rand|solver|sparse)|nv(?:JitLink|blas|jpeg|rtc)|nccl|npp|[gi]?omp5?$|mkl_|roc(?:blas|fft|rand|solver|sparse)|hip|MIOpen|rccl|amdhip64|hsa-runtime64)/;

/** OpenBLAS is called `libopenblasp-r0.3.21`, `libopenblas64_p-r0-0cf96a72.3.23.dev`, `libscipy_openblas64_-ff651d7f`. */
const openBlas = /^lib(?:scipy_)?openblas.*\.so(?:\.|$)/;

/** Places of what is there beside the library by design: link-time stubs, builds for newer processors, 32 bits, debug symbols. */
const aside = /(?:^|\/)(?:stubs|glibc-hwcaps|lib32|libx32|\.debug|usr\/lib\/debug)\//;

/**
 * Returns the name that all copies of a shared library share: `libz.so.1` for those of one major version, `libcublas` for all of a
 * family. Null for other files, and for what lies beside a library by design.
 */
export function libraryName(path: Path): ByteString | null {
  const base = baseOf(path);
  if (!base.startsWith('lib') || !base.includes('.so') || aside.test(path)) return null;
  if (openBlas.test(base)) return ascii`libopenblas`;
  const [, name, major] = base.match(pattern) ?? [];
  if (name === undefined) return null;
  if (families.test(name)) return name;
  return major === undefined ? ascii`${name}.so` : ascii`${name}.so.${major}`;
}
