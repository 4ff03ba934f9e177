import { main } from '../../src/cli/main.ts';

// What bin/ does, over the sources: tests run it as a process of its own.
process.exitCode = await main(process.argv.slice(2));
