import type { Ended } from './process.ts';

// node runner-process.ts MODULE: runs command lines, one after the other, by the `main` that the module exports. Starting a process
// for each would take five times as long as most of them need. runner.ts starts it and talks to it by messages.

/** A command line, and the folder that it runs in. */
export interface Order {
  readonly args: readonly string[];
  readonly folder: string;
  readonly temporary: string;
}

type Main = (args: readonly string[]) => Promise<number>;

async function run(main: Main, { args, folder, temporary }: Order): Promise<Ended> {
  process.chdir(folder);
  process.env['TMPDIR'] = temporary;
  const printed: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (chunk: string | Uint8Array) => {
      printed[name].push(Buffer.from(chunk as Uint8Array));
      return true;
    };
  }
  const status = await main(args);
  process.chdir('/');
  return {
    status,
    stdout: Buffer.concat(printed.stdout),
    stderr: Buffer.concat(printed.stderr).toString(),
  };
}

if (import.meta.main) {
  const { main } = (await import(process.argv[2] ?? '')) as { main: Main };
  process.on('message', (order) => void run(main, order as Order).then((ended) => process.send?.(ended)));
  process.send?.('ready');
}
