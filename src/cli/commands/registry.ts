/** The command `registry`: the embedded registry in the foreground, until it is interrupted. */
import { registryOptions } from '../../settings/tables/trace.ts';
import { type Command, defineCommand } from '../command.ts';

export const registry: Command = defineCommand({
  name: 'registry',
  describe: 'serve a small registry over an OCI layout folder',
  details:
    'Serves the OCI distribution API over a folder, for demos, tests and air-gapped jobs: pushes land in the folder, which stays a valid OCI layout. It listens on loopback only, and answers for the names of this machine and those of --allow-host only, so that no web page can reach it under another name. Ctrl-C ends it.',
  positionals: [{ name: 'action', describe: 'what to do', required: true, choices: ['serve'] }],
  options: registryOptions,
  examples: [
    [
      'ocislim registry serve --directory images --port 5000',
      'a registry at localhost:5000',
      'a terminal of its own',
    ],
  ],
  async run({ settings, console }) {
    const { escapeText } = await import('../../report/escape.ts');
    const { serveRegistry } = await import('../../store/server/serve-registry.ts');
    const { directory, port, readOnly, allowHost } = settings;
    const server = await serveRegistry({
      layoutDir: directory,
      host: '127.0.0.1',
      port,
      readOnly,
      allowHosts: allowHost,
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
});
