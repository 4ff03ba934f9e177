/** The options that say how a program runs while it is recorded: below `trace record --root` or `--image`. */
import { OcislimError } from '../../errors.ts';
import { choice, list, parsePairs, text } from '../option.ts';

const group = 'Recording';

/** A port of this machine, and the one of the program that it leads to. */
export interface PublishSetting {
  readonly host: string;
  readonly from: number;
  readonly to: number;
}

export const running = {
  runEnv: list(parsePairs, {
    value: 'K=V',
    describe: 'record: set an environment variable of the program (repeatable)',
    group,
  }),
  runUser: text({
    value: 'USER[:GROUP]',
    describe: 'record: run as this user (default: of the image, else root)',
    group,
  }),
  runWorkdir: text({ value: 'DIR', describe: 'record: run in this directory of the image', group }),
  runNetwork: choice(['private', 'host'], {
    default: 'private',
    describe: 'record: give the program a network of its own (loopback), or that of here',
    group,
  }),
  runPublish: list<readonly PublishSetting[]>((texts, where) => texts.map((each) => publishOf(each, where)), {
    value: '[IP:][PORT:]PORT',
    describe: 'record: make a port of the program reachable from here (repeatable)',
    details:
      'The last port is that of the program, the one before it that of this machine: the same if only one is given, any free one for 0. Without an address, it can be reached from this machine alone.',
    group,
  }),
};

/** Reads which port leads where. @throws USAGE naming the option */
function publishOf(given: string, where: string): PublishSetting {
  const [, host = '127.0.0.1', from, to = ''] =
    /^(?:(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):)?(?:(\d{1,5}):)?(\d{1,5})(?:\/tcp)?$/.exec(given) ?? [];
  const [outer, inner] = [Number(from ?? to), Number(to)];
  if (to !== '' && inner > 0 && inner < 65_536 && outer < 65_536)
    return { host: host.replace(/^\[|\]$/g, ''), from: outer, to: inner };
  throw new OcislimError('USAGE', `${where} takes [IP:][PORT:]PORT, not ${JSON.stringify(given)}`);
}
