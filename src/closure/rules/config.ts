import { utf8Bytes, ascii, asciiList } from '../../bytes/bytes.ts';
import { commandNeeds, scriptNeeds } from '../commands.ts';
import type { ClosureRule } from '../rule.ts';
import { MiB } from '../../units.ts';

/** The shell of a health check in a config without Shell. */
const defaultShell = ['/bin/sh', '-c'];

/** Keeps what the config of the image names (OCI image-spec, config.md; Docker's Healthcheck and Shell). */
export const configRule: ClosureRule = {
  name: 'config',
  describe:
    'The programs that the config of the image names (entrypoint, command, health check, shell), with the files among their arguments; the working directory, the volumes, and the files of users and groups.',
  // The check of the user needs their contents.
  reads: (path) => (path === 'etc/passwd' || path === 'etc/group' ? MiB : 0),
  *roots(context) {
    const { entrypoint, command, healthcheck, shell, workingDirectory, volumes } = context.runtime;
    yield* commandNeeds(entrypoint, context, { detail: ascii`the entrypoint` });
    yield* commandNeeds(command, context, { detail: ascii`the command` });
    const [kind, ...test] = healthcheck;
    if (kind === 'CMD') yield* commandNeeds(test, context, { detail: ascii`the health check` });
    if (kind === 'CMD-SHELL') {
      const used = shell.length > 0 ? shell : defaultShell;
      yield* commandNeeds(used, context, { detail: ascii`the shell of the health check` });
      yield* scriptNeeds(utf8Bytes(test.join(' ')), context, ascii`the health check`);
    }
    if (shell.length > 0) yield* commandNeeds(shell, context, { detail: ascii`the shell` });
    if (workingDirectory !== '')
      yield { path: utf8Bytes(workingDirectory), detail: ascii`the working directory` };
    for (const volume of volumes) yield { path: utf8Bytes(volume), detail: ascii`a volume` };
    for (const path of asciiList('etc/passwd', 'etc/group'))
      yield { path, detail: ascii`read by runtimes to find user and group` };
  },
};
