/** The options of `trace`, and those of `registry`. Both are commands without a rewriting job. */
import { OcislimError } from '../../errors.ts';
import { flag, list, type Option, parsePairs, text, wholeNumber, type Raw } from '../option.ts';
import { probing } from './probing.ts';
import { pruning } from './pruning.ts';
import { reaching } from './commands.ts';
import { format, output } from './reports.ts';
import { platform } from './result.ts';
import { running } from './running.ts';

const seconds: Option<number | null> = {
  type: 'number',
  value: 'SECONDS',
  describe: 'record: end the command with SIGTERM after this time',
  group: 'Recording',
  read: (given: Raw | undefined, where) => {
    if (given === undefined) return null;
    const read = Number(given);
    if (read > 0 && read < 1e6) return read;
    throw new OcislimError('USAGE', `${where} takes a number of seconds`);
  },
};

/** What `trace record` takes. */
const recording = {
  root: text({
    value: 'DIR',
    describe: 'record: run in this root filesystem, from "ocislim export"',
    details:
      'As root, with bubblewrap or unshare, all users of the root filesystem exist: chown, su, gosu and sshd work. So do they for an ordinary user with bubblewrap, uidmap and an entry in /etc/subuid. Otherwise there is one user, who owns every file.',
    group: 'Recording',
  }),
  image: text({
    value: 'REF',
    describe: 'record: the image that runs; show, apparmor: the image that was traced',
    details:
      'The trace names the digest and the platform of the image. Without --root, record unpacks it and runs it in a sandbox, as it says itself. In --root, its user, directory and environment are used, and its command if none is given.',
    group: 'Recording',
  }),
  user: text({
    value: 'UID[:GID]',
    describe: 'record: the same as --run-user',
    group: 'Recording',
  }),
  env: list(parsePairs, {
    value: 'K=V',
    describe: 'record: the same as --run-env (repeatable)',
    group: 'Recording',
  }),
  allSyscalls: flag({
    describe: 'record: trace every system call, as "trace seccomp" needs; slower',
    group: 'Recording',
  }),
  for: seconds,
};

export const traceOptions = {
  output: text({
    alias: 'o',
    value: 'FILE',
    describe: 'write to this file instead of stdout (record: ocislim.trace)',
    group: 'Result',
  }),
  profileName: text({
    value: 'NAME',
    describe: 'apparmor: the name of the profile',
    details:
      'Letters, digits, dots, dashes and underscores. Default: the name of the file of --output without its suffix, or ocislim.',
    group: 'Result',
  }),
  ...recording,
  ...running,
  ...probing,
  traceRoot: pruning.traceRoot,
  platform,
  format,
  ...reaching,
};

const port: Option<number> = {
  type: 'number',
  alias: 'p',
  value: 'N',
  default: 5000,
  describe: 'listen on this port; 0 for any free one',
  group: 'Registries',
  read: (given, where) => {
    const number = wholeNumber(0, given, where);
    if (number <= 65_535) return number;
    throw new OcislimError('USAGE', `${where} takes a number from 0 to 65535, not ${number}`);
  },
};

export const registryOptions = {
  directory: text({
    alias: 'd',
    value: 'DIR',
    default: 'registry',
    describe: 'serve this folder; it is created if it does not exist',
    group: 'Registries',
  }),
  port,
  readOnly: flag({ describe: 'refuse every push', group: 'Registries' }),
  allowHost: list((texts) => texts, {
    value: 'NAME',
    describe: 'answer requests for this name of the registry too (repeatable)',
    details: 'By default only the names and addresses of this machine are answered for.',
    group: 'Registries',
  }),
  ...output,
};
