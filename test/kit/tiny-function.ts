import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from 'tar';
import { buildPackage } from '../../descriptors/index.ts';

/**
 * The program of every tiny function: answers HTTP with who it is and what its bindings file says, counts its reloads, writes a line
 * into a journal every 20 ms while it runs, and ends as its arguments say. Its one metric counts how often its metrics were read. With `load` it asks its providers in turn, every 10 ms, and tells how that went.
 */
const PROGRAM = `
const { appendFileSync, readFileSync } = require('node:fs');
const { createServer, get } = require('node:http');
const { PORT, BINDINGS, JOURNAL, HOST, VERSION } = process.env;
const [mode, ...rest] = process.argv.slice(2);
console.log('tiny function', mode ?? 'serve', process.pid);
if (mode === 'exit') setTimeout(() => process.exit(Number(rest[0])), 100);
else if (mode === 'work') {
  const tell = () => JOURNAL && appendFileSync(JOURNAL, [Date.now(), process.pid, HOST, 'work'].join(' ') + '\\n');
  tell();
  setInterval(tell, 20);
  setTimeout(() => { tell(); process.exit(require('node:fs').existsSync(rest[1] ?? '') ? 1 : 0); }, Number(rest[0]));
} else if (mode === 'deaf') setInterval(() => {}, 1000);
else {
  const read = () => (BINDINGS ? JSON.parse(readFileSync(BINDINGS, 'utf8')) : undefined);
  let bindings = read();
  let reloads = 0;
  process.on('SIGHUP', () => { bindings = read(); reloads += 1; });
  const tell = (what) => JOURNAL && appendFileSync(JOURNAL, [Date.now(), process.pid, HOST, what].join(' ') + '\\n');
  process.on('SIGTERM', () => { tell('stop'); process.exit(0); });
  tell('start');
  setInterval(() => tell('run'), 20);
  const count = { sent: 0, answered: 0, failures: [], versions: {} };
  const endpoints = () => Object.values(bindings?.requires ?? {}).flatMap((each) => each.endpoints);
  const fail = (error) => count.failures.push(String(error));
  const ask = ({ host, port }) =>
    get({ host, port, agent: false, timeout: 5000 }, (response) => {
      let text = '';
      response.on('data', (part) => { text += part; });
      response.on('error', fail);
      response.on('end', () => {
        const { version } = JSON.parse(text);
        count.answered += 1;
        count.versions[version] = (count.versions[version] ?? 0) + 1;
      });
    }).on('error', fail).on('timeout', function () { this.destroy(new Error('no answer within 5 s')); });
  if (mode === 'load') setInterval(() => {
    const known = endpoints();
    if (known.length === 0) fail('no endpoint is known');
    else ask(known[count.sent % known.length]);
    count.sent += 1;
  }, 10);
  let scrapes = 0;
  createServer((request, response) => {
    if (request.url === '/metrics') return response.end('# TYPE scrapes counter\\nscrapes ' + (scrapes += 1) + '\\n');
    const load = mode === 'load' ? count : {};
    response.end(JSON.stringify({ pid: process.pid, host: HOST, version: VERSION, reloads, bindings, ...load }));
  }).listen(Number(PORT), '127.0.0.1');
}
`;

export interface TinyFunctionOptions {
  /** Arguments of the program: none serves, `exit N` ends with that code, `work MS FILE` ends after that time, with 1 where there is the file, `deaf` never answers, `load` asks its providers. */
  readonly args?: readonly string[];
  /** File into which every copy writes a line `milliseconds pid host what` while it runs. */
  readonly journal?: string;
  /** Fixed port; the host chooses otherwise. */
  readonly port?: number;
  readonly provides?: string;
  readonly requires?: string;
  readonly memory?: string;
  /** Has its metrics read every second. */
  readonly isMeasured?: boolean;
  /** Further top-level parts of the descriptor. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export const invariantIdOf = (name: string): string => `urn:test:function:${name}`;

function softwareVersionOf({ metadata }: Readonly<Record<string, unknown>>): string {
  const { softwareVersion } = (metadata ?? {}) as { readonly softwareVersion?: string };
  return softwareVersion ?? '1.0.0';
}

/** A function descriptor of little need that is patient for 2 s and restarted at once. */
export function tinyDescriptor(name: string, options: TinyFunctionOptions = {}): object {
  const {
    args = [],
    journal,
    port,
    provides,
    requires,
    memory = '64Mi',
    isMeasured = false,
    more = {},
  } = options;
  const isJob = args[0] === 'exit' || args[0] === 'work';
  return {
    apiVersion: 'iotmano/v1',
    kind: 'IoTFunctionDescriptor',
    metadata: {
      invariantId: invariantIdOf(name),
      provider: 'test',
      productName: name,
      softwareVersion: '1.0.0',
      descriptorVersion: '1.0.0',
      role: 'ae',
    },
    ...(requires === undefined
      ? {}
      : { requires: { [requires]: { capability: requires, protocol: 'http', access: {} } } }),
    ...(provides === undefined
      ? {}
      : { provides: [{ capability: provides, protocol: 'http', unit: 'main', port: 'http' }] }),
    units: [
      {
        name: 'main',
        artifacts: [{ type: 'process', command: ['node', 'main.cjs', ...args], files: 'main.tgz' }],
        resources: { cpu: '10m', memory },
        env: {
          HOST: '{{ host.id }}',
          VERSION: softwareVersionOf(more),
          ...(journal === undefined ? {} : { JOURNAL: journal }),
          ...(isJob ? {} : { PORT: '{{ ports.http }}' }),
          ...(requires === undefined && provides === undefined ? {} : { BINDINGS: '{{ bindings.path }}' }),
        },
        ...(isJob
          ? {}
          : {
              ports: [{ name: 'http', protocol: 'tcp', ...(port === undefined ? {} : { port }) }],
              probes: { ready: { http: { port: 'http', path: '/' }, every: '1s', failAfter: 3 } },
              ...(isMeasured
                ? { metrics: { port: 'http', every: '1s', indicators: [{ name: 'scrapes' }] } }
                : {}),
            }),
        ...(requires === undefined && provides === undefined
          ? {}
          : { bindings: { path: 'bindings.json', onChange: 'reload' } }),
        security: { nonRoot: false },
        stop: { signal: 'SIGTERM', grace: '1s' },
      },
    ],
    flavours: [{ name: 'default', levels: [{ name: 'small', instances: { main: 1 } }] }],
    healing: { restart: { within: '60s', times: 5, backoff: '200ms..1s' }, lostAfter: '2s' },
    ...more,
  };
}

/** Writes a folder of which `iotmano package build` makes a package: descriptor.yaml (JSON is YAML) and artifacts/. */
export async function writeTinyFunction(directory: string, descriptor: object): Promise<void> {
  const artifacts = join(directory, 'artifacts');
  const source = join(directory, 'source');
  mkdirSync(artifacts, { recursive: true });
  mkdirSync(source);
  writeFileSync(join(source, 'main.cjs'), PROGRAM);
  await create({ file: join(artifacts, 'main.tgz'), cwd: source, gzip: true, portable: true }, ['main.cjs']);
  writeFileSync(join(directory, 'descriptor.yaml'), JSON.stringify(descriptor, undefined, 2));
}

/** @returns the file of the package */
export async function buildTinyFunction(
  directory: string,
  name: string,
  options: TinyFunctionOptions = {},
): Promise<string> {
  const source = join(directory, name);
  await writeTinyFunction(source, tinyDescriptor(name, options));
  const file = join(directory, `${name}.zip`);
  const errors = (await buildPackage(source, file)).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new RangeError(`${name} has faults: ${JSON.stringify(errors)}`);
  return file;
}

/** A service of the given constituents; each is called like its function unless it says otherwise. */
export function tinyService(
  name: string,
  functions: readonly Readonly<Record<string, unknown>>[],
  more: Readonly<Record<string, unknown>> = {},
): object {
  return {
    apiVersion: 'iotmano/v1',
    kind: 'IoTServiceDescriptor',
    metadata: { invariantId: `urn:test:service:${name}`, version: '1.0.0', provider: 'test', name },
    functions: functions.map((constituent) => ({
      function: invariantIdOf(String(constituent['name'])),
      version: '^1.0.0',
      ...constituent,
    })),
    ...more,
  };
}
