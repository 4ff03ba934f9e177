import { main } from '../../src/cli/main.ts';

// Does what bin/ does, over the sources. Tests run it as a process of its own.
process.exitCode = await main(process.argv.slice(2));
