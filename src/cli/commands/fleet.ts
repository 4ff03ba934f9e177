/** The command `fleet`: many images of a registry as one piece of work. Its one action so far plans them. */
import { fleetOptions } from '../../settings/tables/fleet.ts';
import { type Call, type Command, defineCommand } from '../command.ts';

export const fleet: Command = defineCommand({
  name: 'fleet',
  describe: 'plan work over a whole registry: its images, layers and sizes',
  details:
    '`plan` lists what registries have, reads manifests and configs, and writes one line of JSON for each image: its digest, tags, platforms and layers. It reads no layer. A source is a registry, a name with all repositories below it, one repository, or one image. Registries that do not list their repositories (Docker Hub, GHCR, ECR) need them by name: as arguments, or one on each line of a file (--from). What fails is told on stderr, the rest goes on, and the exit status is 4.',
  positionals: [
    { name: 'action', describe: 'what to do', required: true, choices: ['plan'] },
    { name: 'sources..', describe: 'registries, repositories or images', required: false },
  ],
  options: fleetOptions,
  examples: [
    ['ocislim fleet plan localhost:5000/team -o plan.ndjson', 'all images of all repositories below "team"'],
    [
      "ocislim fleet plan localhost:5000 --exclude 'tmp/**' --tags 'v*' --newest 3 -o plan.ndjson",
      'the three newest versions of everything',
    ],
  ],
  run: planImages,
});

/** Runs `fleet plan`. The rows go to standard output or a file as they are known. @throws USAGE, IO, what ends everything */
async function planImages({ settings, secrets, line, console }: Call<typeof fleetOptions>): Promise<number> {
  const { formatImageRow, FleetTally } = await import('../../fleet/index.ts');
  const { fleetPlan } = await import('../../commands/index.ts');
  const { safeJsonText } = await import('../../report/escape.ts');
  const { renderFleet } = await import('../../report/fleet-text.ts');
  const { checkResult, writeStream } = await import('../result-output.ts');
  const { Screen } = await import('../screen.ts');
  await checkResult(settings);
  const tally = new FleetTally();
  const count = { leftOut: 0, failed: 0 };
  using screen = new Screen(settings, console);
  const { env, signal } = console;
  const surroundings = { env, signal, secrets, listener: screen.listener };
  const rows = async function* (): AsyncGenerator<Uint8Array> {
    for await (const image of fleetPlan(line.argumentsOf('sources'), settings, surroundings)) {
      if (image.kind === 'failed') count.failed += 1;
      if (image.kind === 'left-out') count.leftOut += 1;
      if (image.kind !== 'image') continue;
      tally.add(image.row);
      yield Buffer.from(safeJsonText(formatImageRow(image.row)));
    }
  };
  await writeStream(rows(), settings, console);
  screen.stop();
  if (!settings.quiet) console.stderr.write(renderFleet(tally.totals, count));
  if (count.failed === 0) return 0;
  return tally.totals.images === 0 ? 1 : 4;
}
