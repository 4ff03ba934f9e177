/** The command `trace`. Its actions are files of their own, which are loaded when they run. */
import { OcislimError } from '../../errors.ts';
import { traceOptions } from '../../settings/tables/trace.ts';
import { type Command, defineCommand } from '../command.ts';
import { defaultTrace } from './trace-call.ts';

export const trace: Command = defineCommand({
  name: 'trace',
  describe:
    'record what a program uses of its image; merge and show traces; make profiles for seccomp and AppArmor',
  details:
    'Traces tell "prune --trace" what to keep; docs/traces.md lists the formats. `record` runs a command below strace, in a sandbox of its image (--image), in a root filesystem unpacked from "ocislim export" (--root), or in this container, and writes what it used as a trace file; signals are passed on, and the exit status is that of the command. With probes (requests, commands beside it) it ends the command afterwards, and the exit status says whether they got what was expected; docs/recording.md has them all. `merge` writes traces of any format as one trace file, small and sorted; traces of different platforms or images are refused. `show` prints what traces saw: by use, by directory, what was executed, what could not be read, and with --image also by package. `seccomp` writes a profile in the format of Docker, podman and containerd. It allows the system calls in the traces and those that the container runtime itself makes before the program runs; all others fail with EPERM. Its traces must hold every system call (`record --all-syscalls`, or "strace -f" without -e) of a run that does everything that the program will ever do. `apparmor` writes a profile for apparmor_parser. It allows the files, sockets and capabilities in the traces; with --image it knows where names lead in the image, which a profile needs. docs/profiles.md says how to load both, and what they cannot know.',
  positionals: [
    {
      name: 'action',
      describe: 'what to do',
      required: true,
      choices: ['record', 'merge', 'show', 'seccomp', 'apparmor'],
    },
    { name: 'files..', describe: 'the traces, - for stdin; none for stdin', required: false },
  ],
  rest: 'record: the command to run, with its arguments',
  options: traceOptions,
  examples: [
    [
      'ocislim trace record --image app:1 --http-probe / --http-crawl -o app.trace',
      'an image: run in a sandbox, probed, ended',
      'strace',
    ],
    ['ocislim trace record -o app.trace -- /app/server', 'in the container of a CI job', 'strace'],
    [
      'ocislim trace record --root rootfs --image app:1 --for 60 -- /app/server',
      'over an unpacked image',
      'strace',
    ],
    ['ocislim trace merge start.strace load.strace -o app.trace', 'two traces as one'],
    ['ocislim trace show app.trace --image localhost:5000/app:1', 'what it saw, also by package'],
    ['ocislim trace seccomp app.strace -o app.seccomp.json', 'a profile for --security-opt seccomp=FILE'],
    [
      'ocislim trace apparmor app.trace --image localhost:5000/app:1 -o app.apparmor',
      'a profile for --security-opt apparmor=app',
    ],
  ],
  async run(call) {
    const action = call.line.argument('action') ?? '';
    const output = call.settings.output ?? (action === 'record' ? defaultTrace : null);
    if (output !== null && output !== '-' && action !== 'show') {
      const { checkReplaceable } = await import('../../files/writable.ts');
      await checkReplaceable(output);
    }
    switch (action) {
      case 'record':
        return (await import('./trace-record.ts')).recordTrace(call);
      case 'merge':
        return (await import('./trace-merge.ts')).mergeFiles(call);
      case 'show':
        return (await import('./trace-show.ts')).showTrace(call);
      case 'seccomp':
        return (await import('./trace-seccomp.ts')).makeProfile(call);
      case 'apparmor':
        return (await import('./trace-apparmor.ts')).makeApparmorProfile(call);
      default:
        throw new OcislimError('INTERNAL', `trace ${action} is not implemented`);
    }
  },
});
