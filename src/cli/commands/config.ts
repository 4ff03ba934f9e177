/** The command `config`: edits the image config and annotations, and no layer. */
import { configOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const config: Command = defineRewriting({
  name: 'config',
  describe: 'change what an image says about running it: entrypoint, variables, user, labels',
  details:
    'Edits the config of an image, of each platform, and no layer: what the destination lacks is copied, nothing is unpacked. Commands have the JSON and the shell form of Dockerfiles, and what the options do not name stays as it is, members that ocislim does not know included. Each change of how the image runs adds the row to the history that its instruction would add; labels, author and annotations add none. An edit that changes nothing gives the same digest. The same options on slim, squash, prune, recompress and restore edit the result there, and prune looks at the new entrypoint.',
  positionals: [source, destination],
  options: configOptions,
  examples: [
    [
      `ocislim config localhost:5000/app:1 localhost:5000/app:1-tuned --env LOG_LEVEL=info --user 1000:1000`,
      'another user, and a variable',
    ],
    [
      `ocislim config oci:app:1 oci:app:2 --entrypoint '["/app/server"]' --cmd '["--port","80"]' --expose 80`,
      'another program',
    ],
    [
      `ocislim config oci:app:1 oci:app:3 --healthcheck='--interval=30s CMD /app/server --check' --stop-signal SIGINT`,
      'how it is watched, and how it ends',
    ],
  ],
  leads: ['Config'],
  load: async () => (await import('../../commands/index.ts')).config,
});
