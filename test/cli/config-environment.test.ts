import { expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';
import { reportSchema } from '../../src/report/schema.ts';

const scene = openScene(() => ({ app: buildImage({ layers: [tar('etc/f=1')], config: { config: {} } }) }));
const warned = (stderr: string) => stderr.split('\n').filter((line) => line.includes('ENVIRONMENT_USED'));

test.each(['config', 'squash', 'recompress', 'slim', 'prune', 'copy'] as const)(
  '%s says once that the environment, and no option, edits the image',
  async (command) => {
    const own = command === 'squash' ? ['--all'] : command === 'prune' ? ['--rule', 'etc/f'] : [];
    const env = { OCISLIM_USER: '7', OCISLIM_ANNOTATION: 'a=b', OCISLIM_JOBS: '1' };
    const to = scene.at(`by-${command}`);
    const run = await callCli([command, scene.at('app'), to, ...own, '--format=json'], env);
    expect(run.status, run.stderr).toBe(0);
    // copy has no options that edit the config.
    const wanted =
      command === 'copy'
        ? 'the environment edits the image: OCISLIM_ANNOTATION stands for --annotation'
        : 'the environment edits the image: OCISLIM_USER stands for --user, OCISLIM_ANNOTATION for --annotation';
    expect(warned(run.stderr)).toEqual([`warning: ${wanted} (ENVIRONMENT_USED)`]);
    const { warnings } = reportSchema.parse(JSON.parse(run.stdout));
    expect(warnings).toContainEqual({ code: 'ENVIRONMENT_USED', message: wanted });
  },
);

test('what the command line sets too is not of the environment, and --strict refuses what is', async () => {
  const own = await callCli(['config', scene.at('app'), scene.at('own'), '--user', '8'], {
    OCISLIM_USER: '7',
  });
  expect(own.status, own.stderr).toBe(0);
  expect(warned(own.stderr)).toEqual([]);
  const strict = await callCli(['config', scene.at('app'), scene.at('strict'), '--strict'], {
    OCISLIM_USER: '7',
  });
  expect(strict.status).toBe(1);
  expect(strict.stderr).toContain('OCISLIM_USER stands for --user');
});
