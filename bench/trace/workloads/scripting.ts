/**
 * The workloads of Ruby, Perl, PHP, R and Elixir. `all.ts` lists them.
 */
import { answering, entrypoint, job, type Workload } from './step.ts';

export const scripting: readonly Workload[] = [
  {
    image: 'ruby',
    files: {
      'other.rb': `require 'csv'; require 'yaml'; require 'zlib'; require 'digest'; require 'bigdecimal'
puts CSV.parse("a,b").inspect, YAML.dump({ 'a' => [1] }), Zlib.crc32('x'), Digest::SHA256.hexdigest('x'), BigDecimal('0.1').to_s
puts 'naïve'.encode('Windows-1252').bytes.inspect
`,
    },
    main: [entrypoint],
    other: [{ argv: ['ruby', '/tmp/other.rb'] }],
  },
  {
    image: 'perl',
    files: {
      'other.pl': `use Digest::SHA qw(sha256_hex); use Unicode::Normalize; use Time::Local; use Text::Wrap; use Encode;
print sha256_hex("x"), length(NFD("\\x{e9}")), timegm(0, 0, 0, 1, 0, 70), wrap("", " ", "a b"), encode("cp1252", "\\x{e9}") eq "\\xe9", "\\n";
`,
    },
    main: [entrypoint],
    other: [{ argv: ['perl', '/tmp/other.pl'] }],
  },
  {
    image: 'php',
    files: {
      'other.php': `<?php
$page = new DOMDocument(); $page->loadXML('<a><b>x</b></a>');
echo $page->documentElement->textContent, iconv('UTF-8', 'ISO-8859-15', 'x'), hash('sha256', 'x'), (new DateTime('2024-07-01', new DateTimeZone('Europe/Paris')))->format('c'), "\\n";
`,
    },
    main: [entrypoint],
    other: [{ argv: ['php', '/tmp/other.php'] }],
  },
  {
    image: 'sinatra',
    files: {},
    main: [answering('/hello?name=you')],
    other: [answering('/page', '/table', '/fail', '/missing')],
  },
  {
    image: 'mojolicious',
    files: {},
    main: [answering('/hello?name=you')],
    other: [answering('/page', '/digest', '/dom', '/fail', '/missing')],
  },
  {
    image: 'r',
    files: {},
    main: [entrypoint],
    other: [job('robust'), job('plot')],
  },
  {
    image: 'elixir',
    files: {},
    main: [answering('/hello')],
    other: [answering('/page', '/digest', '/date', '/document', '/packed', '/fail', '/missing')],
  },
];
