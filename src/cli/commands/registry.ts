import { OcislimError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { output } from '../options/common-options.ts';
import { text } from '../options/option.ts';

export const registry: Command = {
  name: 'registry',
  describe: 'serve a small registry over an OCI layout folder',
  details:
    'Serves the OCI distribution API over a folder, for demos, tests and air-gapped jobs: pushes land in the folder, which stays a valid OCI layout. It listens on loopback only. Ctrl-C ends it.',
  positionals: [{ name: 'action', describe: 'what to do: serve', required: true }],
  options: [
    {
      name: 'directory',
      alias: 'd',
      type: 'string',
      value: 'DIR',
      default: 'registry',
      describe: 'the folder, made if it is not there',
      group: 'Registries',
    },
    {
      name: 'port',
      alias: 'p',
      type: 'number',
      value: 'N',
      default: 5000,
      describe: 'the port; 0 for any free one',
      group: 'Registries',
    },
    { name: 'read-only', type: 'boolean', describe: 'refuse every push', group: 'Registries' },
    ...output,
  ],
  examples: [['ocislim registry serve --directory images --port 5000', 'a registry at localhost:5000']],
  async run(values, console) {
    if (values['action'] !== 'serve')
      throw new OcislimError('USAGE', `unknown action: registry ${String(values['action'])}`, {
        advice: 'Write "ocislim registry serve".',
      });
    const port = Number(values['port'] ?? 5000);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new OcislimError('USAGE', `--port takes a number from 0 to 65535, not ${port}`);
    const { escapeText } = await import('../../report/escape.ts');
    const { serveRegistry } = await import('../../store/server/serve-registry.ts');
    const directory = text(values, 'directory') ?? 'registry';
    const server = await serveRegistry({
      layoutDir: directory,
      host: '127.0.0.1',
      port,
      readOnly: values['read-only'] === true,
      signal: console.signal,
    });
    console.stdout.write(`${server.host}\n`);
    console.stderr.write(`serving ${escapeText(directory)} at ${server.url}; Ctrl-C ends it\n`);
    await new Promise<void>((resolve) =>
      console.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    await server.close();
    return 0;
  },
};
