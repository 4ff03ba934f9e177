import { readFileSync } from 'node:fs';

// Runs many command lines one after the other in this process. argv[2] is the module of the command, argv[3] a JSON
// file with the command lines. The last line on standard output is a JSON array of their exit statuses.
const [, , command = '', file = ''] = process.argv;
const { main } = (await import(command)) as { main: (args: readonly string[]) => Promise<number> };
const statuses: number[] = [];
for (const args of JSON.parse(readFileSync(file, 'utf8')) as string[][]) statuses.push(await main(args));
process.stdout.write(`\n${JSON.stringify(statuses)}\n`);
