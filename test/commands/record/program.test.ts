/**
 * What options and an image say together about a run: the command, how it starts, what is asked, and which ports lead to it. The options of
 * `slim` that need --record are refused without it.
 */
import { describe, expect, it } from 'vitest';
import {
  commandOfImage,
  imageRunOf,
  planOf,
  publishedPorts,
  recordedPlatform,
} from '../../../src/commands/record/program.ts';
import { checkRecordingOptions } from '../../../src/commands/record/recording-options.ts';
import { parseImageConfig } from '../../../src/oci/image-config.ts';
import { readRuntime } from '../../../src/oci/runtime.ts';
import { defaultSettings } from '../../../src/settings/command-line.ts';
import { slimOptions, type SlimSettings } from '../../../src/settings/tables/commands.ts';

const settings: SlimSettings = await defaultSettings(slimOptions);

const image = { entrypoint: ['/entry'], command: ['serve', '--fast'] };

describe('the command', () => {
  it('is the entrypoint with the command of the image', () =>
    expect(commandOfImage(image, settings, [])).toEqual(['/entry', 'serve', '--fast']));

  it('is the entrypoint with the words that are given', () =>
    expect(commandOfImage(image, settings, ['check'])).toEqual(['/entry', 'check']));

  it('is another entrypoint, without the command of the image', () =>
    expect(commandOfImage(image, { runEntrypoint: ['sh'] }, [])).toEqual(['sh']));

  it('must be named by the image or by the options', () =>
    expect(() => commandOfImage({ entrypoint: [], command: [] }, settings, [])).toThrow(
      'the image names no command',
    ));
});

describe('a run', () => {
  const config = parseImageConfig(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { User: 'app', WorkingDir: '/srv', Env: ['A=image', 'B=image'], Volumes: { '/data': {} } },
        rootfs: { type: 'layers', diff_ids: [] },
      }),
    ),
    0,
    'config',
  );
  const runtime = readRuntime(config);

  it('is as the image says where no option says otherwise', () =>
    expect(imageRunOf(settings, runtime, ['x'])).toMatchObject({
      user: 'app',
      cwd: '/srv',
      env: { A: 'image', B: 'image' },
      volumes: ['/data'],
      network: 'private',
    }));

  it('is as options say, those of the command line above those of files', () =>
    expect(
      imageRunOf(
        { ...settings, runUser: '0', runEnv: { A: 'line' }, runEnvFile: { A: 'file', C: 'file' } },
        runtime,
        ['x'],
      ),
    ).toMatchObject({ user: '0', env: { A: 'line', B: 'image', C: 'file' } }));
});

describe('what is asked', () => {
  it('is nothing by default', () => expect(planOf(settings)).toBeNull());

  it('cannot be waited for where there is nothing', () =>
    expect(() => planOf({ ...settings, ready: { kind: 'port', port: 80 } })).toThrow('--ready goes with'));

  it('is reached by all ports of the image where a person clicks around', () => {
    expect(publishedPorts({ runPublish: [], continueAfter: { kind: 'enter' } }, [80, 443])).toEqual([
      { host: '127.0.0.1', from: 0, to: 80 },
      { host: '127.0.0.1', from: 0, to: 443 },
    ]);
    expect(publishedPorts({ runPublish: [], continueAfter: { kind: 'probe' } }, [80])).toEqual([]);
  });
});

it('one platform is recorded', () => {
  const [one, other] = [
    { os: 'linux', architecture: 'arm64' },
    { os: 'linux', architecture: 'amd64' },
  ];
  expect(recordedPlatform([one])).toEqual(one);
  expect(() => recordedPlatform([one, other])).toThrow('linux/arm64 and linux/amd64');
});

describe('options of recordings', () => {
  it.each([
    ['--repair', { repair: 1 }],
    ['--seccomp', { seccomp: 'x.json' }],
    ['--http-crawl', { httpCrawl: true }],
    ['--run-command', { runCommand: ['x'] }],
    ['--run-env', { runEnv: { A: 'b' } }],
    ['--run-mount', { runMount: [{ source: '/a', target: '/b', readOnly: false }] }],
  ] as const)('%s needs --record', async (name, given) => {
    await expect(checkRecordingOptions({ ...settings, ...given })).rejects.toThrow(
      `${name} goes with --record`,
    );
    await checkRecordingOptions({ ...settings, ...given, record: true });
  });

  it('are none by default', () => checkRecordingOptions(settings));

  it('a recording that is tried needs a sandbox', () =>
    expect(checkRecordingOptions({ ...settings, record: true, sandbox: 'none' })).rejects.toThrow(
      '--sandbox none',
    ));

  it('other platforms are those that --platform does not choose', () =>
    expect(
      checkRecordingOptions({
        ...settings,
        record: true,
        platformsAlike: true,
        platform: [{ os: 'linux', architecture: 'amd64' }],
      }),
    ).rejects.toThrow('--platforms-alike and --platform'));
});
