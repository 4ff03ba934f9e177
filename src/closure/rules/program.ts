import type { ClosureRule } from '../rule.ts';
import { configRule } from './config.ts';
import { directoriesRule } from './directories.ts';
import { elfInterpreterRule } from './elf-interpreter.ts';
import { elfNeededRule } from './elf-needed.ts';
import { hardLinkRule } from './hard-link.ts';
import { keepCommandRule } from './keep-command.ts';
import { ldSoRule } from './ld-so.ts';
import { scriptRule } from './script.ts';
import { symlinkRule } from './symlink.ts';
import { traceRule } from './trace.ts';
import { untracedRule } from './untraced.ts';

/** The rules for every image: what was used, what the config names, and what kernels and loaders need to run it. */
export const programRules: readonly ClosureRule[] = [
  traceRule,
  configRule,
  keepCommandRule,
  untracedRule,
  elfInterpreterRule,
  elfNeededRule,
  ldSoRule,
  scriptRule,
  symlinkRule,
  hardLinkRule,
  directoriesRule,
];
