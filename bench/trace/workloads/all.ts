/**
 * What each image is for, as steps to run: one workload is traced, another one is not. The tests and the benchmark
 * run both in what pruning leaves.
 */
import { native } from './native.ts';
import { python } from './python.ts';
import { runtimes } from './runtimes.ts';
import { scripting } from './scripting.ts';
import { servers } from './servers.ts';
import type { Workload } from './step.ts';

/** The order of the table. */
const order =
  'nginx python node java ruby perl php postgres redis static busybox fastapi django flask sklearn pillow pyinstaller sharp next spring cgo sinatra phpfpm modphp mojolicious r elixir ffmpeg imagemagick sshd gosu musl'.split(
    ' ',
  );

/** The workloads in the order of the table. */
export const workloads: readonly Workload[] = [
  ...servers,
  ...python,
  ...runtimes,
  ...scripting,
  ...native,
].toSorted((a, b) => order.indexOf(a.image) - order.indexOf(b.image));
