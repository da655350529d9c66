/** The packed agent as hosts have it: built once, in versions that differ in what they call themselves and in what is wrong with them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderAgentProgram } from '../../kernel/index.ts';
import { buildAgent } from '../../scripts/build-agent.ts';
import { STATE_FORMATS } from '../state-formats.ts';
import { digestOf } from './mco-double.ts';

export interface AgentVersion {
  readonly version: string;
  readonly content: Buffer;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** What is wrong with a version: code that runs before anything else of it. */
export const FAULTS = {
  'does not start at all': 'throw new Error("broken");',
  'throws when it is to run': 'if (process.argv.includes("run")) throw new Error("broken");',
  'ends after a while': 'if (process.argv.includes("run")) setTimeout(() => process.exit(3), 300);',
  hangs: 'if (process.argv.includes("run")) setTimeout(() => { for (;;); }, 300);',
  'never confirms':
    'if (process.argv.includes("run")) { setInterval(() => {}, 1000); await new Promise(() => {}); }',
} as const;

export interface PackedAgent {
  /** @param fault code that it begins with */
  version(version: string, fault?: string, formats?: Readonly<Record<string, number>>): AgentVersion;
  cleanUp(): void;
}

export async function packAgent(): Promise<PackedAgent> {
  const directory = mkdtempSync(join(tmpdir(), 'packed-agent-'));
  const text = readFileSync(await buildAgent(join(directory, 'built')), 'utf8');
  const code = text.slice(text.indexOf('\n') + 1);
  return {
    version: (version, fault = '', formats = STATE_FORMATS) => {
      const content = Buffer.from(`${renderAgentProgram({ version, formats })}${fault}\n${code}`);
      return { version, content, digest: digestOf(content), sizeBytes: content.length };
    },
    cleanUp: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** A host with an installed agent, and what starts that again whenever it ends, as systemd does. */
export interface SupervisedAgent {
  readonly dataDirectory: string;
  /** Process ids of its starts, newest last. */
  readonly pids: readonly number[];
  readonly log: string;
  /** SIGKILL; it is started again. */
  kill(): void;
  /** Ends it and the supervision. Functions run on. */
  stop(): Promise<void>;
  /** Begins again after `stop`. */
  start(): void;
  /** `agent/versions.json` as it is now. */
  pointer(): Record<string, unknown> | undefined;
  install(installed: AgentVersion): void;
}

export function superviseAgent({
  serverUrl,
  installed,
  hostId = 'gw-1',
  token = 'one-time-token-0001',
  parent = tmpdir(),
}: {
  readonly serverUrl: string;
  readonly installed: AgentVersion;
  readonly hostId?: string;
  readonly token?: string;
  /** Where its files are. */
  readonly parent?: string | undefined;
}): SupervisedAgent {
  const directory = mkdtempSync(join(parent, 'supervised-agent-'));
  const dataDirectory = join(directory, 'data');
  const program = join(directory, 'installed', 'iotmano-agent.mjs');
  mkdirSync(join(directory, 'installed'));
  const pids: number[] = [];
  let child: ChildProcess | undefined;
  let isEnding = false;
  let log = '';
  const install = (version: AgentVersion): void => writeFileSync(program, version.content);
  const start = (): void => {
    const own = ['run', '--host-id', hostId, '--address', '127.0.0.1', '--log-level', 'info'];
    const args = [program, ...own, '--server', serverUrl, '--data', dataDirectory];
    const env = { ...process.env, IOTMANO_ENROLMENT_TOKEN: token };
    child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    pids.push(child.pid ?? 0);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.once('exit', () => {
      if (!isEnding) setTimeout(start, 100);
    });
  };
  install(installed);
  start();
  return {
    dataDirectory,
    pids,
    get log() {
      return log;
    },
    kill: () => child?.kill('SIGKILL'),
    start: () => {
      isEnding = false;
      start();
    },
    install,
    pointer: () => {
      try {
        return JSON.parse(readFileSync(join(dataDirectory, 'agent', 'versions.json'), 'utf8')) as Record<
          string,
          unknown
        >;
      } catch {
        return undefined;
      }
    },
    async stop() {
      isEnding = true;
      const ending = child;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      const exited = once(ending, 'exit');
      ending.kill('SIGTERM');
      await exited;
    },
  };
}
