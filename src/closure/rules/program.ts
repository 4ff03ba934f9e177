import type { ClosureRule } from '../rule.ts';
import { config } from './config.ts';
import { directories } from './directories.ts';
import { elfInterpreter } from './elf-interpreter.ts';
import { elfNeeded } from './elf-needed.ts';
import { hardLink } from './hard-link.ts';
import { keepCommand } from './keep-command.ts';
import { ldSo } from './ld-so.ts';
import { script } from './script.ts';
import { symlink } from './symlink.ts';
import { trace } from './trace.ts';

/** The rules that hold for every image: what was used, what is configured, and what loaders and kernels need for it. */
export const programRules: readonly ClosureRule[] = [
  trace,
  config,
  keepCommand,
  elfInterpreter,
  elfNeeded,
  ldSo,
  script,
  symlink,
  hardLink,
  directories,
];
