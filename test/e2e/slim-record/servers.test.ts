/** Real servers go from the image to a smaller one that was seen working, in one command. */
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { removeFolder, run, workFolder } from '../../support/e2e/programs.ts';
import type { Runner } from '../../support/e2e/runners.ts';
import { buildServer, commonServers, furtherServers } from '../../support/e2e/servers.ts';
import { isWhole, sample } from '../../support/extent.ts';
import { expectSlimmed } from './slimmed-server.ts';

let work: string;
beforeAll(() => {
  work = workFolder('servers');
  chmodSync(work, 0o755);
});
afterAll(() => removeFolder(work));

const names: Readonly<Record<Runner, string>> = {
  root: 'root',
  alone: 'an ordinary user in a namespace of one user',
  mapped: 'an ordinary user who has further ones',
};

describe.each(isWhole ? [...commonServers, ...furtherServers] : commonServers)(
  'the server $name',
  (server) => {
    let layout: string;
    beforeAll(async () => {
      const { base } = server;
      if (base !== null) expect(existsSync(join(inject('images'), base)), `${base} is built`).toBe(true);
      layout = await buildServer(server, inject('images'), work);
      await run('chmod', ['-R', 'a+rX', layout]);
    });
    const runners = ['root', server.switchesUsers ? 'mapped' : 'alone'] as const;

    it.each(sample(runners, 2).map((runner) => [names[runner], runner] as const))(
      'is slimmed by %s, and answers every probe',
      (_, runner) => expectSlimmed({ server, layout, work }, runner),
    );
  },
);
