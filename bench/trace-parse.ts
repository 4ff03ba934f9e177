import { TraceReader } from '../src/trace/trace-reader.ts';

/**
 * Measures how long a strace of many lines takes to read: `node bench/trace-parse.ts [LINES] [FILES]`; each file
 * has two names. The lines are invented, in the proportions of a real log (`strace -f -o`): a third opens files, a
 * third fails, a third has no file.
 */
const lines = Number(process.argv[2] ?? 1_000_000);
const files = Number(process.argv[3] ?? 25_000);

function line(i: number): string {
  const pid = 1000 + (i % 40);
  const file = (i * 7919) % files;
  const path = `/usr/lib/python3/dist-packages/package${file % 500}/module_${file}.py`;
  switch (i % 9) {
    case 0:
      return `${pid} openat(AT_FDCWD, "${path}", O_RDONLY|O_CLOEXEC) = ${3 + (i % 200)}`;
    case 1:
      return `${pid} newfstatat(AT_FDCWD, "${path}", {st_mode=S_IFREG|0644, st_size=4016, ...}, 0) = 0`;
    case 2:
      return `${pid} openat(AT_FDCWD, "module_${file}.py", O_RDONLY <unfinished ...>`;
    case 3:
      return `${1000 + ((i - 1) % 40)} <... openat resumed>)    = ${3 + (i % 200)}`;
    case 4:
    case 5:
      return `${pid} openat(AT_FDCWD, "/missing${path}", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)`;
    case 6:
      return `${pid} mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f66bc7a1000`;
    case 7:
      return `${pid} read(3, "\\177ELF\\2\\1\\1\\3\\0\\0\\0\\0\\0\\0\\0\\0\\3\\0>\\0\\1\\0\\0\\0"..., 832) = 832`;
    default:
      return `${pid} close(${3 + (i % 200)})  = 0`;
  }
}

const reader = new TraceReader('made-up.strace');
let took = 0;
let bytes = 0;
for (let first = 0; first < lines; first += 1000) {
  let text = '';
  for (let i = first; i < Math.min(first + 1000, lines); i++) text += `${line(i)}\n`;
  const chunk = Buffer.from(text, 'latin1');
  bytes += chunk.length;
  const begin = process.cpuUsage();
  reader.write(chunk);
  took += process.cpuUsage(begin).user;
}
const begin = process.cpuUsage();
const trace = reader.end();
took += process.cpuUsage(begin).user;
process.stdout.write(
  `${lines} lines (${Math.round(bytes / 1e6)} MB), ${trace.paths.size} paths, ${trace.unreadable.count} unreadable: ` +
    `${(took / 1e6).toFixed(2)} s of processor time, peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
);
